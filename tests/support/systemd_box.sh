#!/bin/bash
# Boot systemd as process 1 of namespaces of its own, over a throw-away overlay of this machine's root. Runs until that
# process ends; then nothing is left. The network is the machine's own, so that tests reach what runs inside.
#
# usage: systemd_box.sh FOLDER [SOURCE:TARGET]...
#   FOLDER  an empty folder; the process id of systemd is written to FOLDER/pid
#   SOURCE  is mounted on TARGET in the box
set -eu
folder=$1
shift

# A control group of its own, which is removed when the box has ended.
mkdir "$folder/cgroup" "$folder/overlay"
mount -t cgroup2 none "$folder/cgroup"
group=$folder/cgroup/box-$$
mkdir "$group"
echo $$ >"$group/cgroup.procs"

boot() {
    hostname box
    mount -t tmpfs tmpfs "$folder/overlay"
    mkdir "$folder/overlay/upper" "$folder/overlay/work" "$folder/overlay/root"
    root=$folder/overlay/root
    mount -t overlay -o "lowerdir=/,upperdir=$folder/overlay/upper,workdir=$folder/overlay/work" overlay "$root"
    for pair in "$@"; do
        mkdir -p "$root${pair#*:}"
        mount --bind "${pair%%:*}" "$root${pair#*:}"
    done

    mount -t proc proc "$root/proc"
    # The kernel's settings are the machine's.
    mount --bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/shm" "$root/dev/pts"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"

    # Only these units exist, beside those that a test installs: nothing of the machine's is started a second time.
    mount -t tmpfs -o mode=755 tmpfs "$root/etc/systemd"
    mkdir "$root/etc/systemd/system"
    printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\nReadKMsg=no\nAudit=\n' >"$root/etc/systemd/journald.conf"
    units=$root/run/box-units
    mkdir "$units"
    for unit in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket; do
        ln -s "/lib/systemd/system/$unit" "$units/$unit"
    done
    printf '[Unit]\nDefaultDependencies=no\n' >"$units/sysinit.target"
    printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' >"$units/basic.target"

    cd "$root"
    mkdir -p old
    pivot_root . old
    umount -l /old
    mount --make-rshared / # else a credential that a service loads is an empty folder to it
    paths=/etc/systemd/system:/run/systemd/system:/run/systemd/transient:/run/box-units
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=linux SYSTEMD_UNIT_PATH=$paths \
        /lib/systemd/systemd --unit=basic.target --log-target=journal-or-kmsg --log-level=info --show-status=no
}
export -f boot
export folder

unshare --pid --mount --propagation private --cgroup --uts --ipc --fork --kill-child \
    bash -euc 'boot "$@"' box "$@" &
for _ in $(seq 100); do
    read -r pid _ <"/proc/$!/task/$!/children" || true
    [ -n "${pid-}" ] && break
    sleep 0.02
done
echo "${pid-}" >"$folder/pid"
wait $! || true

echo $$ >"$folder/cgroup/cgroup.procs"
find "$group" -depth -type d -exec rmdir {} +
