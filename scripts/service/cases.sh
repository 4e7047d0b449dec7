#!/bin/bash
# The cases of ./x service inside the virtual machine, one line for each on standard output: CASE name ok|FAILED milliseconds words. What a case says
# beside that begins with a bar. It is /cases/run there; a case that is named on the kernel's command line (cases=a,b) runs alone.
client=/cases/client port=8080

systemctl() { timeout 90 /usr/bin/systemctl "$@"; }
now() { local t=${EPOCHREALTIME/./}; echo $((t / 1000)); }
say() { echo "| $*"; }
fail() { say "FAILED: $*"; exit 1; }
property() { systemctl show -P "$2" "$1"; }
main_pid() { property "$1" MainPID; }
stat() { $client $port ask GET /_stat; }
field() { stat | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
others() { local pids; mapfile -t pids < "/sys/fs/cgroup$(property "$1" ControlGroup)/cgroup.procs"; printf '%s\n' "${pids[@]}" | grep -vx "$(main_pid "$1")"; }
is() { [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"; }

# until SECONDS COMMAND...
until_() {
  local end=$(($(now) + $1 * 1000)); shift
  until "$@"; do [ "$(now)" -lt $end ] || fail "not in time: $*"; sleep 0.05; done
}
moved() { local pid; pid=$(main_pid "$1"); [ "$pid" != "$2" ] && [ "$pid" != 0 ]; }
alone() { [ -z "$(others "$1")" ]; }
two() { [ -n "$(others "$1")" ]; }
standby() { two "$1" && [ "$(field pid)" != "$(main_pid "$1")" ]; }
generation_is() { [ "$(field generation)" = "$1" ]; }
state_is() { [ "$(property "$1" ActiveState)" = "$2" ]; }

begin() { systemctl start "$1" || fail "start: $(systemctl status "$1" 2>&1 | tail -3)"; until_ 10 stat > /dev/null; }
load() { rm -f /tmp/stop /tmp/load; $client $port load /tmp/stop > /tmp/load 2>&1 & loader=$!; sleep 0.3; }
unload() { sleep 0.3; touch /tmp/stop; wait $loader; say "$(cat /tmp/load)"; }
none_failed() { unload; grep -q 'failed=0 refused=0 lost=0' /tmp/load || fail "requests"; [ "$(sed 's/requests=\([0-9]*\).*/\1/' /tmp/load)" -gt 20 ] || fail "hardly a request"; }
healthy() { is ActiveState "$(property "$1" ActiveState)" active; is NRestarts "$(property "$1" NRestarts)" 0; is "the main process" "$(main_pid "$1")" "$(field pid)"; }

# ---- Type=notify, the successor speaks for itself ----

case_start() {
  begin kv
  is "the main process" "$(main_pid kv)" "$(field pid)"
  is StatusText "$(property kv StatusText)" serving
  is "descriptors in the store" "$(property kv NFileDescriptorStore)" 1
}

case_upgrade() { # MAINPID moves, nothing fails, and who follows is watched
  begin kv; load; local old; old=$(main_pid kv)
  systemctl reload kv || fail reload
  until_ 20 moved kv "$old"; until_ 20 alone kv
  sleep 8 # longer than its watchdog
  none_failed; healthy kv
  is generation "$(field generation)" 2
}

case_upgrades_in_a_row() {
  begin kv; load; local i old
  for i in 2 3 4 5 6; do
    old=$(main_pid kv)
    systemctl reload kv || fail reload
    until_ 20 moved kv "$old"; until_ 20 alone kv
  done
  none_failed; healthy kv
  is generation "$(field generation)" 6
}

case_rollback_successor_does_not_start() {
  begin kv; load; local old; old=$(main_pid kv)
  mv /usr/bin/kv /usr/bin/kv.good; printf '#!/bin/sh\nexit 1\n' > /usr/bin/kv; chmod +x /usr/bin/kv
  systemctl reload kv
  sleep 1; mv /usr/bin/kv.good /usr/bin/kv
  none_failed; healthy kv
  is "the main process" "$(main_pid kv)" "$old"
  grep -q 'not upgraded' <(property kv StatusText) || fail "StatusText is $(property kv StatusText)"
}

case_rollback_in_probation() { # the new generation serves, and is killed: the old one takes back
  begin kv-patient; load; local old successor; old=$(main_pid kv-patient)
  systemctl reload --no-block kv-patient
  until_ 20 standby kv-patient
  successor=$(field pid); kill -KILL "$successor"
  until_ 20 generation_is 3; until_ 20 alone kv-patient
  unload; grep -q 'refused=0 lost=0' /tmp/load || fail "requests"
  healthy kv-patient; is "the main process" "$(main_pid kv-patient)" "$old"
}

case_crash() { # systemd starts it again, and gives it the listener from the store: nobody is refused
  begin kv; load; local old; old=$(main_pid kv)
  kill -KILL "$old"
  until_ 20 moved kv "$old"; until_ 20 stat > /dev/null
  unload; grep -q 'refused=0 lost=0' /tmp/load || fail "requests"
  is NRestarts "$(property kv NRestarts)" 1
  is "the main process" "$(main_pid kv)" "$(field pid)"
}

case_crash_of_a_later_generation() { # the main process that systemd has not started itself
  begin kv; local old second; old=$(main_pid kv)
  systemctl reload kv; until_ 20 moved kv "$old"; until_ 20 alone kv
  second=$(main_pid kv); kill -KILL "$second"
  until_ 20 moved kv "$second"; until_ 20 stat > /dev/null
  is NRestarts "$(property kv NRestarts)" 1
  is Result "$(property kv Result)" success
}

case_watchdog() {
  begin kv; local old; old=$(main_pid kv)
  kill -STOP "$old"
  until_ 30 moved kv "$old"; until_ 20 stat > /dev/null
  is NRestarts "$(property kv NRestarts)" 1
  journalctl -u kv --no-pager 2>/dev/null | grep -q 'Watchdog timeout' || say "no journal"
}

case_watchdog_of_a_later_generation() {
  begin kv; local old second; old=$(main_pid kv)
  systemctl reload kv; until_ 20 moved kv "$old"; until_ 20 alone kv
  second=$(main_pid kv); kill -STOP "$second"
  until_ 30 moved kv "$second"; until_ 20 stat > /dev/null
  is NRestarts "$(property kv NRestarts)" 1
}

case_stop() {
  begin kv; local old; old=$(main_pid kv)
  systemctl stop kv
  is ActiveState "$(property kv ActiveState)" inactive; is Result "$(property kv Result)" success
  [ ! -e "/proc/$old" ] || fail "the process is there"
  stat && fail "somebody answers"
  true
}

case_stop_in_probation() { # two generations, both get SIGTERM, both end in good order
  begin kv-patient
  systemctl reload --no-block kv-patient; until_ 20 standby kv-patient
  systemctl stop kv-patient
  is ActiveState "$(property kv-patient ActiveState)" inactive; is Result "$(property kv-patient Result)" success
  pgrep -x kv && fail "a generation is left"
  true
}

case_restart_keeps_the_listener() { # by hand: the store is given to the next one
  begin kv; load; local inode
  inode=$(readlink "/proc/$(main_pid kv)/fd/"* 2>/dev/null | grep -c socket)
  systemctl restart kv; until_ 20 stat > /dev/null
  unload; grep -q 'refused=0' /tmp/load || fail "requests"
  say "sockets: $inode"
}

case_socket_unit() {
  systemctl start kv.socket || fail "kv.socket"
  stat > /dev/null || fail "no answer" # starts it
  load; local old; old=$(main_pid kv)
  systemctl reload kv; until_ 20 moved kv "$old"; until_ 20 alone kv
  none_failed; healthy kv
}

# ---- Type=notify-reload ----

case_notify_reload() { # it returns when it is done
  begin kv-reload; load; local old; old=$(main_pid kv-reload)
  systemctl reload kv-reload || fail reload
  moved kv-reload "$old" || fail "reload came back before the upgrade had ended"
  until_ 20 alone kv-reload
  none_failed; healthy kv-reload
}

case_notify_reload_rollback() { # and when it came to nothing
  begin kv-reload; load; local old; old=$(main_pid kv-reload)
  mv /usr/bin/kv /usr/bin/kv.good; printf '#!/bin/sh\nsleep 0.3\nexit 1\n' > /usr/bin/kv; chmod +x /usr/bin/kv
  timeout 20 systemctl reload kv-reload; local answer=$?
  mv /usr/bin/kv.good /usr/bin/kv
  is "reload's answer" $answer 0
  grep -q 'not upgraded' <(property kv-reload StatusText) || fail "StatusText is $(property kv-reload StatusText)"
  none_failed; healthy kv-reload; is "the main process" "$(main_pid kv-reload)" "$old"
}

# ---- only the main process is heard ----

case_names_its_successor() {
  begin kv-main; load; local old i
  for i in 2 3 4; do
    old=$(main_pid kv-main)
    systemctl reload kv-main; until_ 20 moved kv-main "$old"; until_ 20 alone kv-main
  done
  sleep 8; none_failed; healthy kv-main
}

# ---- the main process stays ----

case_supervised() {
  begin kv-supervised; load; local main first; main=$(main_pid kv-supervised); first=$(field pid)
  [ "$main" != "$first" ] || fail "the server is the main process"
  systemctl reload kv-supervised; until_ 20 generation_is 2
  sleep 8; none_failed
  is "the main process" "$(main_pid kv-supervised)" "$main"; is NRestarts "$(property kv-supervised NRestarts)" 0
  [ ! -e "/proc/$first" ] || fail "the old generation is there"
}

case_supervised_crash() { # the generation dies, its supervisor with it, and the next one finds the listener in the store
  begin kv-supervised; load; local main first; main=$(main_pid kv-supervised); first=$(field pid)
  systemctl reload kv-supervised; until_ 20 generation_is 2
  until_ 20 [ ! -e "/proc/$first" ] # until then it is a rollback
  kill -KILL "$(field pid)"
  until_ 20 moved kv-supervised "$main"; until_ 20 stat > /dev/null
  unload; grep -q 'refused=0 lost=0' /tmp/load || fail "requests"
  is NRestarts "$(property kv-supervised NRestarts)" 1
}

case_supervised_stop() {
  begin kv-supervised
  systemctl reload kv-supervised; until_ 20 generation_is 2
  systemctl stop kv-supervised
  is ActiveState "$(property kv-supervised ActiveState)" inactive; is Result "$(property kv-supervised Result)" success
  pgrep -x kv && fail "a generation is left"
  true
}

# ---- a supervisor that looks on: ps_handoff_supervisor ----

supervisor=kv-supervisor
pid_is() { [ "$(field pid)" = "$1" ]; }
serves_another() { local pid; pid=$(field pid); [ -n "$pid" ] && [ "$pid" != "$1" ]; }

case_supervisor_upgrade() {
  begin $supervisor; load; local main first; main=$(main_pid $supervisor); first=$(field pid)
  systemctl reload $supervisor; until_ 30 generation_is 2
  until_ 30 [ ! -e "/proc/$first" ]
  none_failed
  is "the main process" "$(main_pid $supervisor)" "$main"; is NRestarts "$(property $supervisor NRestarts)" 0
}

case_supervisor_rollback() {
  begin $supervisor; load; local first; first=$(field pid)
  mv /usr/bin/kv /usr/bin/kv.good; printf '#!/bin/sh\nexit 1\n' > /usr/bin/kv; chmod +x /usr/bin/kv
  systemctl reload $supervisor; sleep 2; mv /usr/bin/kv.good /usr/bin/kv
  none_failed; pid_is "$first" || fail "another process serves"
  grep -q 'goes on' <(property $supervisor StatusText) || fail "StatusText is $(property $supervisor StatusText)"
}

case_supervisor_killed() { # and found again by the next one, which replaces what it has not started
  begin $supervisor; load; local main first; main=$(main_pid $supervisor); first=$(field pid)
  kill -KILL "$main"; until_ 30 moved $supervisor "$main"
  until_ 30 state_is $supervisor active
  pid_is "$first" || fail "the generation was ended"
  systemctl reload $supervisor; until_ 30 generation_is 2
  none_failed; is NRestarts "$(property $supervisor NRestarts)" 1
}

case_supervisor_killed_in_an_upgrade() {
  begin $supervisor; load; local main first; main=$(main_pid $supervisor); first=$(field pid)
  systemctl reload --no-block $supervisor; until_ 30 generation_is 2
  kill -KILL "$main"; until_ 30 moved $supervisor "$main"
  until_ 30 state_is $supervisor active
  until_ 30 [ ! -e "/proc/$first" ]
  none_failed; generation_is 2 || fail "generation $(field generation)"
}

case_supervisor_generation_crashes() { # another one is started, with the listener that the supervisor holds
  begin $supervisor; load; local main first; main=$(main_pid $supervisor); first=$(field pid)
  kill -KILL "$first"; until_ 30 serves_another "$first"
  unload; grep -q 'refused=0 lost=0' /tmp/load || fail requests
  is "the main process" "$(main_pid $supervisor)" "$main"; is NRestarts "$(property $supervisor NRestarts)" 0
}

case_supervisor_and_generation_killed() { # the listener is in the store of systemd: nobody is refused
  begin $supervisor; load; local main first; main=$(main_pid $supervisor); first=$(field pid)
  kill -KILL "$main" "$first"; until_ 30 serves_another "$first"
  unload; grep -q 'refused=0 lost=0' /tmp/load || fail requests
  is NRestarts "$(property $supervisor NRestarts)" 1
}

case_supervisor_stop() {
  begin $supervisor
  systemctl stop $supervisor
  is ActiveState "$(property $supervisor ActiveState)" inactive; is Result "$(property $supervisor Result)" success
  pgrep -x kv && fail "a generation is left"
  true
}

# ---- what cannot work ----

case_simple_is_refused() { # the reload does nothing, and the server says why
  begin kv-simple; load; local old; old=$(main_pid kv-simple)
  systemctl reload kv-simple; sleep 1
  none_failed; healthy kv-simple; is "the main process" "$(main_pid kv-simple)" "$old"
  is generation "$(field generation)" 1
  journalctl -u kv-simple --no-pager 2>/dev/null | grep -q 'no upgrade: .*Type=notify' || fail "no words of it in the journal"
}

case_simple_known_wrong() { # what happens without the refusal
  begin kv-simple-forced
  systemctl reload kv-simple-forced
  until_ 20 state_is kv-simple-forced inactive
  stat && fail "the successor lives: systemd has changed, and the refusal may go"
  is Result "$(property kv-simple-forced Result)" success
  pgrep -x kv && fail "a generation is left"
  say "the unit is inactive, and the successor was killed with it"
}

case_exit_type_cgroup() {
  begin kv-cgroup; load; local first; first=$(field pid)
  systemctl reload kv-cgroup; until_ 20 generation_is 2
  until_ 20 [ ! -e "/proc/$first" ]
  sleep 0.5; none_failed
  is ActiveState "$(property kv-cgroup ActiveState)" active
}

# ---- one after the other ----

run() {
  local name=$1 began answer
  systemctl stop kv kv.socket kv-patient kv-reload kv-main kv-supervised kv-supervisor kv-simple kv-simple-forced kv-cgroup 2> /dev/null
  pkill -KILL -x 'kv|supervise|container|client'
  systemctl reset-failed 2> /dev/null
  systemctl clean --what=fdstore kv kv-reload kv-supervised kv-supervisor 2> /dev/null
  rm -rf /var/lib/kv/*
  began=$(now)
  ("case_$name") 2>&1; answer=$?
  touch /tmp/stop
  pkill -KILL -x client
  [ -e /usr/bin/kv.good ] && mv /usr/bin/kv.good /usr/bin/kv
  if [ $answer -ne 0 ]; then
    journalctl --no-pager -n 25 2> /dev/null | sed 's/^/| /'
    echo "CASE $name FAILED $(($(now) - began))"
  else
    echo "CASE $name ok $(($(now) - began))"
  fi
}

wanted=$(sed -n 's/.*\bcases=\([^ ]*\).*/\1/p' /proc/cmdline | tr ',' ' ')
echo "BOOTED $(systemctl --version | head -1), Linux $(uname -r), $(cut -d ' ' -f 1 /proc/uptime) s"
if [ -n "$wanted" ]; then names=$wanted; else names=$(sed -n 's/^case_\([a-z_]*\)().*/\1/p' "$0"); fi
for name in $names; do run "$name"; done
echo "DONE"
systemctl poweroff -ff
