/*
 * The first process of a Linux guest that runs one program (linux_guest.py): loads the disk's
 * modules, mounts the disk where the program looks for files, runs it, and switches off.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void load(const char *module) {
    int file = open(module, O_RDONLY);
    if (file < 0 || syscall(SYS_finit_module, file, "", 0) != 0)
        perror(module);
    close(file);
}

int main(int count, char **arguments) {
    char name[] = "/0.ko";
    (void)count;
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    for (; access(name, R_OK) == 0; name[1]++)
        load(name);
    mkdir("/disk", 0755);
    if (mount("/dev/vda", "/disk", "ext4", 0, NULL) != 0)
        perror("/disk");
    if (chdir("/disk") == 0 && fork() == 0) {
        execv("/program", arguments);
        perror("/program");
        _exit(127);
    }
    wait(NULL);
    umount("/disk");
    reboot(RB_POWER_OFF);
}
