# SPDX-License-Identifier: Apache-2.0
# What the runs of a guest share. A run prints what it has to say; runs.ts knows what that should be.

# heard: waits until ./out of the falco that was started shows events, or it is gone. What is shown of `act N /mark/NAME` are the
# lines with that path.
heard() {
	tries=0
	while ! grep -q /mark/hello out; do
		kill -0 $falco 2>/dev/null || break
		[ $tries -lt 600 ] || break
		tries=$((tries + 1))
		act 1 /mark/hello
		usleep 100000
	done
}

# listen FLAG…: starts `falco capture` in the background with its output in ./out and ./err, and waits until it shows events.
listen() {
	falco capture -U -p '%evt.arg.name' "$@" 'evt.arg.name contains /mark/' >out 2>err &
	falco=$!
	heard
}

# watch_marks FLAG…: the same with `falco run` and a rule about /mark.
watch_marks() {
	cat >rules.yaml <<'END'
- rule: Marked file
  desc: A file with a mark was opened.
  condition: evt.type in (open, openat, openat2) and fd.name startswith /mark/
  output: Marked (file=%fd.name name=%proc.name)
  priority: WARNING
END
	falco run -U -r rules.yaml "$@" >out 2>err &
	falco=$!
	heard
}

# settled: waits until what listen started shows nothing new any more.
settled() {
	tries=0
	before=-1
	after=$(wc -c <out)
	while [ "$after" != "$before" ] && [ $tries -lt 100 ]; do
		tries=$((tries + 1))
		sleep 2
		before=$after
		after=$(wc -c <out)
	done
}

# finish: ends what listen started, as Ctrl-C does.
finish() {
	kill -INT $falco
	wait $falco
	echo "status $?"
	sed 's/^/err: /' err
}

# shown NAME: how many openings of /mark/NAME were shown.
shown() {
	echo "$1: $(grep -c "/mark/$1\$" out)"
}

# accounted N: whether N openings of /mark/busy were shown or lost.
accounted() {
	lost=$(sed -n 's/^falco: \([0-9]*\) events were lost$/\1/p' err)
	[ $(($(grep -c '/mark/busy$' out) + ${lost:-0})) -ge $1 ] && echo "all are accounted for"
	shown busy
}

# fails COMMAND…: what a program says that cannot do its work.
fails() {
	"$@" >out 2>&1 </dev/null
	echo "status $?"
	cat out
}

# objects: BPF programs, maps and links that there are, once none goes away any more.
objects() {
	tries=0
	before=
	after=$(bpf_ids)
	while [ "$after" != "$before" ] && [ $tries -lt 30 ]; do
		tries=$((tries + 1))
		sleep 1
		before=$after
		after=$(bpf_ids)
	done
	echo "$after" | grep -c .
}
