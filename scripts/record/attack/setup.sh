#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is there before the recording begins: a small shop's server, and the foe's machine beside it.
mkdir -p /var/www /var/log /var/lib/shop /home/anna /root/.ssh /etc/cron.d /srv/foe /opt/shop
printf 'root:x:0:0:root:/root:/bin/sh\nwww:x:33:33:www:/var/www:/bin/sh\nanna:x:1000:1000:Anna:/home/anna:/bin/sh\n' >/etc/passwd
printf 'root:x:0:\nwww:x:33:\nanna:x:1000:\n' >/etc/group
printf 'root:$6$made$up:20000:0:99999:7:::\nanna:$6$made$up:20000:0:99999:7:::\n' >/etc/shadow
chmod 600 /etc/shadow
chmod 700 /root
printf 'made-up private key\n' >/root/.ssh/id_ed25519
printf 'id,name\n1,Berta\n2,Carl\n' >/var/lib/shop/customers.csv
printf 'shop started\n' >/var/log/shop.log
printf '<h1>Shop</h1>\n' >/var/www/index.html
chown -R www:www /var/www /var/lib/shop
mv /opt/shop/worker /srv/foe/worker
printf 'anna logged in\n' >/var/log/auth.log
printf 'ls\n' >/root/.ash_history
chmod 4755 /opt/shop/backup
/opt/shop/httpd 192.0.2.10 8080 /var/www 33
/opt/shop/httpd 192.0.2.20 8000 /srv/foe 0
