#!/bin/sh
# Replaces this shell with the time-skipping server "$2" on port "$1". Discards its output unless "$3" is given.
# Without this script, the server would end on Ctrl-C in the terminal, although its parent still needs it then. It would
# also outlive its parent. With this script, the server ignores Ctrl-C and is killed about a second after its parent
# ends, even if the parent was killed with -9.
# `parent` prints the pid of this process's parent. On Linux it reads /proc and starts no process. On macOS it runs ps.
parent() {
  while read -r key value; do
    if [ "$key" = PPid: ]; then echo "$value" && return; fi
  done <"/proc/$$/status" || ps -o ppid= -p "$$"
}
(
  while [ "$(parent)" -eq "$PPID" ]; do sleep 1; done
  kill -9 "$$"
) </dev/null >/dev/null 2>&1 &
trap '' INT
[ -n "$3" ] || exec >/dev/null 2>&1
exec "$2" "$1"
