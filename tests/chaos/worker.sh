#!/bin/sh
# One run of a component under churn: worker.sh NAME FOLDER [LIFE_MS]
#
# It prints numbered lines, and goes on counting where the run before it left off, so that a line that is lost, doubled
# or written by two runs at once shows in the log. It holds a lock for as long as anything of it lives: whoever starts
# while another run, or what one has left behind, is still there, finds the lock taken and tells the judge.
#
# (stderr is closed to it, for a shell says there what has become of its sleeps.) SIGTERM is answered between two steps and SIGKILL comes from itself alone: so the count is never behind the log.
ends=
trap 'ends=yes' TERM
name=$1 folder=$2 mean=${3:-1000}
exec 2>/dev/null 9>>"$folder/$name.lock"
# Written before anything is forked: where the machine has no pid left, a shell that can't fork dies there and then.
echo "${STIGMER_PM_RUN##*/}" >>"$folder/$name.runs"
flock -n 9 || echo "$name: run $$ began while something of another one lived" >>"$folder/doubles"
count=0
[ -e "$folder/$name.count" ] && read -r count <"$folder/$name.count"

say() {
    count=$((count + 1))
    echo "$name $count"
    echo "$count" >"$folder/$name.count"
}

say
while [ -e "$folder/calm" ]; do
    [ -n "$ends" ] && exit 0
    sleep 1000
done
# Between a tenth and nearly two of the mean, another one each time.
life=$((mean / 10 + ($$ * 7919 + count * 104729) % (mean * 18 / 10)))
milliseconds=$((life % 1000 + 1000))
sleep "$((life / 1000)).${milliseconds#1}"
[ -n "$ends" ] && exit 0
say
case $(((count + $$) % 5)) in
0) exit 0 ;;
1) exit 3 ;;
2) kill -9 $$ ;;
3)
    sleep 600 &
    exit 4
    ;;
4)
    setsid sleep 600 &
    kill -9 $$
    ;;
esac
