//! Each rule refuses what it is there for, in its spellings, and lets a benign twin pass.

use super::{Never, Rule};
use crate::inventory::profile::Profiles;

fn never() -> Never {
    Profiles::default().never()
}

/// Words as a shell would cut them: blanks, and quotes of either sort.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn check(refused: &str, passing: &str) {
    let never = never();
    for line in refused.trim().lines() {
        let line = line.trim();
        assert!(
            never.command(&words(line)).is_some(),
            "{line}: must be refused"
        );
    }
    for line in passing.trim().lines() {
        let line = line.trim();
        let refusal = never.command(&words(line));
        assert_eq!(refusal, None, "{line}: must pass");
    }
}

#[test]
fn nothing_signals_stops_removes_or_changes() {
    check(
        "kill 1
        /bin/kill -HUP 1
        pkill -f ampServer
        killall nginx
        fuser -k /var/log/x
        fuser -vk /var/log/x
        systemctl stop amps
        systemctl reload nginx.service
        systemctl --user restart x
        systemctl kill -s HUP rsyslog
        service amps restart
        /etc/init.d/amps stop
        supervisorctl restart all
        docker stop c
        docker restart c
        kubectl delete pod x
        reboot
        shutdown -h now
        init 0
        rm -rf /var/log/x
        /usr/bin/rm x
        dd if=/dev/zero of=/dev/sda
        truncate -s 0 /var/log/x
        mv a b
        mkfs.ext4 /dev/sdb
        find /var/log -name x -delete
        sed -i s/a/b/ /etc/x
        sed -ni p /etc/x
        chmod 644 /var/log/x
        setfacl -m u:ops:r /x
        sqlite3 /x/stats.db 'select 1'
        umount /mnt
        mount /dev/sdb /mnt
        sysctl -w vm.swappiness=1
        sysctl vm.swappiness=1
        iptables -F
        ip link set eth0 down
        apt-get install x
        rpm -Uvh x.rpm
        dpkg -i x.deb
        passwd root
        crontab -r
        crontab /tmp/x
        gdb -p 1
        gcore 1
        strace -fp 1
        jmap -dump:live,file=/tmp/x 1
        curl -X POST http://h/x
        curl -XDELETE http://h/x
        curl -sd x http://h/x
        curl --data-binary @x http://h/x
        curl -T x http://h/x
        wget --post-data=x http://h/x",
        "ps -ef
        cat /var/log/kill
        ls /bin/rm
        fuser -v /var/log/x
        systemctl status amps
        systemctl show -p ExecStart amps-start.service
        systemctl is-active nginx
        systemctl list-units --failed
        service amps status
        /etc/init.d/amps status
        supervisorctl status
        docker ps
        docker logs c
        docker inspect c
        kubectl get pods
        kubectl logs x
        find /var/log -name x.log
        sed -n 1,5p /etc/x
        sqlite3 -readonly /x/stats.db 'select 1'
        sqlite3 --version
        mount
        mount -l
        sysctl vm.swappiness
        sysctl -a
        ip addr show
        ip -s link
        dpkg -l
        dpkg -s nginx
        rpm -qa
        rpm -qi x
        crontab -l
        strace -V
        jcmd -l
        jstack 1
        curl -fsS http://127.0.0.1:8080/status
        curl -s -G -d x=1 http://h/x
        wget -qO- http://h/x
        df -h /var
        dmesg
        free -m
        tail -n 100 /var/log/x",
    );
}

#[test]
fn no_wrapper_hides_it() {
    check(
        "sudo kill 1
        sudo -n -u amps -- kill 1
        sudo -nu amps kill 1
        sudo --user amps kill 1
        sudo --user=amps A=1 kill 1
        doas -u amps kill 1
        env kill 1
        env -i A=1 B=2 kill 1
        env -u A kill 1
        env -S 'kill 1'
        env --split-string='kill 1'
        nice kill 1
        nice -n 5 kill 1
        nice -5 kill 1
        nice --adjustment=5 kill 1
        ionice -c 3 kill 1
        timeout 5 kill 1
        timeout -s KILL -k 1 5s kill 1
        timeout --signal=KILL 5 kill 1
        timeout --signal KILL 5 kill 1
        nohup kill 1
        setsid -w kill 1
        stdbuf -oL kill 1
        stdbuf -o L kill 1
        time -p kill 1
        xargs kill
        xargs -n 1 -I {} kill {}
        xargs -0 -n1 kill
        xargs -a /tmp/pids --max-args 1 kill
        busybox kill 1
        flock /tmp/x kill 1
        flock /tmp/x -c 'kill 1'
        chroot /srv kill 1
        taskset 1 kill 1
        taskset -c 0,1 kill 1
        chrt -f 1 kill 1
        su - amps -c 'kill 1'
        su -c 'kill 1' amps
        runuser -u amps -- kill 1
        watch -n 1 kill 1
        script -c 'kill 1' /dev/null
        ssh other kill 1
        ssh -p 22 other 'kill 1'
        nsenter -t 1 -m kill 1
        systemd-run --wait kill 1
        docker exec -u 0 c kill 1
        kubectl exec pod -- kill 1
        parallel kill
        sudo env nice timeout 5 kill 1
        sh -c 'kill 1'
        bash -lc 'kill 1'
        bash -o pipefail -c 'kill 1'
        /bin/dash -c 'true; kill 1'
        sh -c 'echo a | xargs kill'
        sh -c 'if true; then sudo kill 1; fi'
        sh -c 'echo $(kill 1)'
        sh -c 'k\"il\"l 1'
        sh -c 'eval \"kill 1\"'
        sh -c 'X=kill; $X 1'
        sh -c '\"$@\"' x kill 1
        sh -c 'trap \"kill 1\" EXIT'
        sh -c 'exec kill 1'
        sh -c 'sh -c \"kill 1\"'
        find / -name x -exec kill 1 ;
        find / -name x -ok rm {} +
        find / -exec sh -c 'rm x' ;
        python3 -c 'import os; os.kill(1, 9)'
        perl -e 'kill 9, 1'
        awk 'BEGIN { system(\"kill 1\") }'
        sudo -Z kill 1
        timeout --unknown kill 5 x
        strace -o /tmp/x kill 1",
        "sudo -n cat kill
        sudo -u kill cat x
        env A=kill cat x
        timeout -s KILL 5 cat x
        timeout 5 grep kill /var/log/x
        nice -n 5 cat /var/log/kill
        sh -c 'grep kill /var/log/x'
        sh -c 'cat /var/log/x | grep rm'
        sh -c 'echo kill > /dev/null'
        bash -c 'df -h; uptime'
        sh /opt/scripts/kill-report.sh
        find /var/log -name kill
        find /var/log -exec ls -l {} +
        python3 -c 'print(1)'
        xargs ls
        ssh other uptime
        su - amps -c 'uptime'
        docker exec c cat /etc/hostname",
    );
}

#[test]
fn a_refusal_names_program_profile_and_what_a_signal_does() {
    let refusal = never().command(&words("sudo kill -USR1 1")).unwrap();
    assert_eq!(
        (refusal.program.as_str(), refusal.profile.as_str()),
        ("kill", "all")
    );
    assert!(
        refusal
            .message()
            .contains("`kill` is never run like this: it sends a signal")
    );
    assert!(
        refusal.message().contains("to amps, SIGUSR1 disables"),
        "{}",
        refusal.message()
    );
    assert!(refusal.hint().contains("gonogo profiles show all"));
    let quit = never().command(&words("pkill --signal SIGQUIT x")).unwrap();
    assert!(quit.why.contains("SIGQUIT"), "{}", quit.why);
    assert!(!quit.why.contains("SIGHUP"), "{}", quit.why);
    let end = never().command(&words("kill 77")).unwrap();
    assert_eq!(end.why, "it sends a signal");
}

#[test]
fn what_a_product_is_never_told_is_refused() {
    check(
        "ampServer /etc/amps.xml
        /opt/amps/bin/ampServer --daemon /etc/amps.xml
        curl http://127.0.0.1:8085/amps/administrator/minidump
        curl http://127.0.0.1:8085/AMPS//administrator
        redis-cli SHUTDOWN
        redis-cli -h h -p 6379 shutdown nosave
        redis-cli CONFIG SET maxmemory 0
        redis-cli MONITOR
        redis-cli DEBUG SLEEP 1
        redis-cli SAVE
        redis-cli FLUSHALL
        redis-cli -n 0 FLUSHDB
        redis-cli -a secret INFO
        redis-cli -u redis://u:p@h INFO
        redis-cli EVAL x 0
        redis-cli INFO ; SHUTDOWN
        redis-cli
        valkey-cli set a b
        redis-server /etc/redis/redis.conf
        psql -c 'select pg_terminate_backend(1)'
        psql -c 'SELECT pg_reload_conf()'
        psql -XAtc CHECKPOINT
        psql -c 'select 1; drop table x'
        psql --command='ALTER SYSTEM SET x = 1'
        psql -c '\\! kill 1'
        psql postgres://u:p@h/d -c 'select 1'
        psql 'host=h password=p' -c 'select 1'
        pg_ctl reload -D /x
        pg_ctlcluster 15 main restart
        postgres -D /x
        pg_dump x
        mysql -e SHUTDOWN
        mysql -psecret -e 'SHOW STATUS'
        mysql -Ne 'SHOW STATUS; KILL 1'
        mysqladmin shutdown
        mysqladmin -u root flush-logs
        mysqld --daemonize
        mariadb -e 'SET GLOBAL x = 1'
        mariadb -NBe 'FLUSH LOGS'
        mariadb-admin shutdown
        mariadb-dump x
        mongosh --eval 'db.shutdownServer()'
        mongosh --quiet --eval 'db.version();db.dropDatabase()'
        mongosh -u a -p b --eval 'db.version()'
        mongod --shutdown
        mongodump
        kafka-server-stop.sh
        /opt/kafka/bin/kafka-topics.sh --bootstrap-server h:1 --delete --topic x
        kafka-configs --alter
        kafka-consumer-groups.sh --reset-offsets
        kafka-console-consumer.sh --topic x
        rabbitmqctl eval 'init:stop().'
        rabbitmqctl stop
        rabbitmqctl -n rabbit@h stop_app
        rabbitmqctl list_queues && rabbitmqctl stop
        rabbitmq-diagnostics remote_shell
        rabbitmq-plugins enable x
        elasticsearch -d
        elasticsearch-reset-password -u elastic
        opensearch -d
        nginx
        nginx -s reload
        nginx -c /x
        haproxy -f /etc/haproxy/haproxy.cfg
        haproxy -f /x -sf 1
        socat -t5 'EXEC:echo disable server b/s!!STDOUT' UNIX-CONNECT:/run/haproxy/admin.sock
        socat -t5 'EXEC:echo show info;shutdown frontend x!!STDOUT' UNIX-CONNECT:/run/haproxy/admin.sock
        nc -U /run/haproxy/admin.sock
        sh -c 'echo \"shutdown sessions server b/s\" | socat stdio /run/haproxy/admin.sock'
        sudo -u redis redis-cli SHUTDOWN
        docker exec r redis-cli SHUTDOWN",
        "/opt/amps/bin/ampServer --version
        ampServer --verify-config /etc/amps.xml
        ampServer-compat --help
        curl -fsS http://127.0.0.1:8085/amps/instance.json
        redis-cli INFO everything
        redis-cli -h 127.0.0.1 -p 6379 info server
        redis-cli --no-auth-warning PING
        redis-cli CONFIG GET maxmemory
        redis-cli SLOWLOG GET 10
        redis-cli LATENCY DOCTOR
        redis-server --version
        psql -XAtd postgres -c 'SELECT * FROM pg_stat_activity'
        psql -c 'SHOW server_version'
        psql -c 'select relname, n_tup_del, last_vacuum from pg_stat_user_tables'
        pg_ctlcluster 15 main status
        postgres --version
        mysql -NBe 'SHOW GLOBAL STATUS'
        mysql -e 'SHOW CREATE TABLE x'
        mysqladmin extended-status
        mysqld --version
        mariadb -NBe 'SHOW ENGINE INNODB STATUS'
        mariadb --batch --execute 'SELECT VERSION()'
        mariadbd --version
        mongosh --quiet --eval 'db.serverStatus()'
        mongosh --quiet --eval 'EJSON.stringify(rs.status())'
        mongod --version
        kafka-topics.sh --version
        kafka-topics.sh --bootstrap-server h:1 --describe
        kafka-configs.sh --describe --entity-type brokers
        kafka-metadata-quorum.sh --bootstrap-server h:1 describe --status
        rabbitmqctl version
        rabbitmqctl --quiet status
        rabbitmqctl -n rabbit@h list_queues name messages
        rabbitmqctl report
        rabbitmq-diagnostics server_version
        rabbitmq-plugins list
        elasticsearch --version
        elasticsearch-keystore list
        nginx -v
        nginx -T
        nginx -t -c /etc/nginx/nginx.conf
        haproxy -v
        haproxy -c -f /etc/haproxy/haproxy.cfg
        socat -t5 'EXEC:echo show stat!!STDOUT' UNIX-CONNECT:/run/haproxy/admin.sock
        socat -t5 'EXEC:echo show info!!STDOUT' UNIX-CONNECT:/run/haproxy/user.sock
        docker exec r redis-cli INFO",
    );
}

#[test]
fn nothing_is_written() {
    check(
        "tee /var/log/x
        touch /x
        mkdir -p /tmp/x
        cp /var/log/x /tmp/x
        ln -s /a /b
        gzip /var/log/x
        gunzip /var/log/x.gz
        xz -k /var/log/x
        zstd -q /var/log/x
        tar -xzf /tmp/x.tgz
        tar czf /tmp/x.tgz /var/log
        rsync -a /x /y
        sh -c 'ps > /tmp/x'
        sh -c 'ps >>/tmp/x 2>&1'
        bash -c 'ps &> /tmp/x'
        sh -c ': >| /var/log/x'
        env sh -c 'ps 2>/tmp/err'
        curl -o /tmp/x http://h/x
        curl -sO http://h/x
        curl --output /tmp/x http://h/x
        wget http://h/x
        wget -q http://h/x
        wget -O /tmp/x http://h/x
        sqlite3 -readonly /x/stats.db '.backup /tmp/x'
        sqlite3 -readonly /x/stats.db '.shell kill 1'
        sqlite3 -readonly /x/stats.db \"VACUUM INTO '/tmp/x'\"
        psql -f /tmp/x.sql
        psql -c 'select 1' -o /tmp/x
        mariadb --init-command 'drop table x' -e 'select 1'",
        "gzip -dc /var/log/x.gz
        gzip -t /var/log/x.gz
        zstd -dc /var/log/x.zst
        xz --list /x.xz
        tar -tzf /x.tgz
        tar -czf - -C /opt/x logs
        awk '{split($0,a); if ($3 > 5) print}' /x
        sh -c 'ps 2>/dev/null'
        sh -c 'ps 2>&1'
        sh -c 'ps >/dev/null 2>&1 </dev/null; echo \"a > b\"'
        curl -s http://h/x
        curl -s -o /dev/null -w x http://h/x
        curl -so- http://h/x
        wget -qO- http://h/x
        wget -q -O - http://h/x
        wget --spider http://h/x
        sqlite3 -readonly /x/stats.db '.tables'
        psql -X -A -t -h /run -p 5432 -d postgres -c 'SHOW server_version'
        mariadb --batch --execute 'SHOW GLOBAL STATUS'",
    );
}

#[test]
fn more_programs_hide_nothing() {
    check(
        "pkexec kill 1
        prlimit --nofile=10 kill 1
        choom -n 5 -- kill 1
        systemd-cat kill 1
        systemd-inhibit --why=x kill 1
        fakeroot rm -rf /x
        gosu amps kill 1
        /lib64/ld-linux-x86-64.so.2 /bin/kill 1
        socat EXEC:'kill 1' -
        socat - 'SYSTEM:rm -rf /x,pty'
        socat -t5 'EXEC:kill 1!!STDOUT' UNIX-CONNECT:/run/x.sock
        systemctl force-reload nginx
        systemctl condrestart nginx
        systemctl reload-or-try-restart nginx
        service nginx upgrade",
        "socat -t5 'EXEC:echo show stat!!STDOUT' UNIX-CONNECT:/run/haproxy/gonogo.sock
        prlimit --pid 1
        systemd-cat --version
        service nginx status",
    );
}

#[test]
fn a_url_that_is_never_asked_for_is_none_for_a_command_either() {
    check(
        "curl http://127.0.0.1:8085/amps/%61dministrator/minidump
        curl -s 127.0.0.1:8085/amps/instance/../administrator
        curl http://127.0.0.1:8085//amps//administrator/
        curl http://127.0.0.1:8085/amps;x/Administrator
        sudo -n curl -s http://127.0.0.1:8085/amps/administrator%2fclients
        python3 -c 'import urllib.request as r; r.urlopen(\"http://127.0.0.1:8085/amps/%61dministrator\")'",
        "curl http://127.0.0.1:8085/amps/instance.json
        curl -s http://127.0.0.1:9200/_nodes/stats
        curl -s 127.0.0.1:9200/x?next=/_search
        cat /srv/amps/administrator/readme",
    );
}

/// What is known by its name not to be forbidden is asked of no rule.
#[test]
fn no_rule_is_passed_over_for_a_name() {
    let never = never();
    let rules: Vec<&Rule> = (never.0.iter())
        .flat_map(|(_, rules)| &rules.commands)
        .collect();
    assert!(rules.len() > 20);
    for name in rules.iter().flat_map(|rule| &rule.programs) {
        let plain = name.replace('*', "x");
        for program in [
            plain.clone(),
            format!("/usr/sbin/{plain}"),
            format!("./{plain}"),
        ] {
            let is_meant = rules.iter().any(|rule| rule.names(&program));
            assert_eq!(never.1.has(&program), is_meant, "{program}");
        }
        assert!(never.1.has(&plain), "{name}");
    }
}
