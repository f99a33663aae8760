/*
 * faultyfs BACKING MOUNT: a file system that shows the directory BACKING at MOUNT and fails as it is told, for tests.
 *
 * It is told on standard input, a line at a time, answers each line on standard output ("ok", "count N" or "error WHY"), and
 * unmounts when standard input ends. "ok" on its own is the first line: it is mounted.
 *
 *   OP ERROR [name=GLOB] [skip=N] [times=N] [from=OFFSET] [ms=N]
 *              the call OP fails with ERROR (a name of errno, EDQUOT for example). OK instead of an error: it is said to have
 *              succeeded, and nothing is done. PASS: it is done, after a wait of ms.
 *              GLOB: for files of that name; skip: not the first N; times: N at most; from: writes that reach beyond OFFSET.
 *   caseless   names that differ in case only are the same
 *   count OP   how often OP was called
 *   clear      forgets all of it but the counts
 *
 * OP: lookup getattr setattr open create read write flush fsync fsyncdir rename replace (a rename onto something) link symlink
 *     unlink mkdir rmdir opendir statfs flock fallocate lseek
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define MAX_RULES 64

enum op {
    LOOKUP, GETATTR, SETATTR, OPEN, CREATE, READ, WRITE, FLUSH, FSYNC, FSYNCDIR, RENAME, REPLACE, LINK, SYMLINK, UNLINK, MKDIR,
    RMDIR, OPENDIR, STATFS, FLOCK, FALLOCATE, LSEEK, OPS
};

static const char *const op_names[OPS] = {
    "lookup", "getattr", "setattr", "open", "create", "read", "write", "flush", "fsync", "fsyncdir", "rename", "replace", "link",
    "symlink", "unlink", "mkdir", "rmdir", "opendir", "statfs", "flock", "fallocate", "lseek",
};

static const struct { const char *name; int number; } errors[] = {
    { "EIO", EIO }, { "EDQUOT", EDQUOT }, { "ENOSPC", ENOSPC }, { "ESTALE", ESTALE }, { "EROFS", EROFS }, { "ENOSYS", ENOSYS },
    { "EPERM", EPERM }, { "EACCES", EACCES }, { "EEXIST", EEXIST }, { "ENOENT", ENOENT }, { "EOPNOTSUPP", EOPNOTSUPP },
    { "EINVAL", EINVAL }, { "EXDEV", EXDEV }, { "EMLINK", EMLINK }, { "ENOLCK", ENOLCK }, { "EBUSY", EBUSY }, { "EFBIG", EFBIG },
    { "EAGAIN", EAGAIN }, { "EINTR", EINTR },
};

#define PRETEND (-1) /* say that it is done */
#define PASS (-2)    /* do it */

struct rule {
    enum op op;
    int error;
    char name[NAME_MAX + 1];
    long skip, times;
    off_t from;
    long ms;
};

struct node {
    int fd; /* O_PATH */
    dev_t dev;
    ino_t ino;
    uint64_t lookups;
    struct node *next, *prev;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[MAX_RULES];
static int rule_count;
static int caseless;
static long counts[OPS];
static struct node root;
static struct fuse_session *session;

/* ---- rules ---- */

/* What a call is to do: 0 to be done, PRETEND, or the error it has. */
static int decide(enum op op, const char *name, off_t reach)
{
    int verdict = 0;
    long ms = 0;
    pthread_mutex_lock(&lock);
    counts[op]++;
    for (int i = 0; i < rule_count && verdict == 0; i++) {
        struct rule *rule = &rules[i];
        if (rule->op != op || rule->times == 0 || reach <= rule->from || (rule->name[0] && fnmatch(rule->name, name, 0) != 0))
            continue;
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        if (rule->times > 0)
            rule->times--;
        ms = rule->ms > ms ? rule->ms : ms;
        if (rule->error != PASS)
            verdict = rule->error;
    }
    pthread_mutex_unlock(&lock);
    if (ms > 0) {
        struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };
        nanosleep(&wait, NULL);
    }
    return verdict;
}

/* The name that an open descriptor has now. */
static const char *name_of(int fd, char *room)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, room, PATH_MAX - 1);
    if (length < 0)
        return "";
    room[length] = 0;
    char *slash = strrchr(room, '/');
    return slash ? slash + 1 : room;
}

static int decide_fd(enum op op, int fd, off_t reach)
{
    char room[PATH_MAX];
    return decide(op, name_of(fd, room), reach);
}

static const char *read_rule(char *line, struct rule *rule)
{
    char *rest;
    char *word = strtok_r(line, " ", &rest);
    *rule = (struct rule){ .op = OPS, .times = -1, .from = -1 };
    for (int i = 0; i < OPS; i++)
        if (word && strcmp(word, op_names[i]) == 0)
            rule->op = i;
    if (rule->op == OPS)
        return "no such call";

    word = strtok_r(NULL, " ", &rest);
    if (!word)
        return "no error is named";
    if (strcmp(word, "OK") == 0)
        rule->error = PRETEND;
    else if (strcmp(word, "PASS") == 0)
        rule->error = PASS;
    else
        for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
            if (strcmp(word, errors[i].name) == 0)
                rule->error = errors[i].number;
    if (rule->error == 0)
        return "no such error";

    while ((word = strtok_r(NULL, " ", &rest))) {
        if (strncmp(word, "name=", 5) == 0)
            snprintf(rule->name, sizeof rule->name, "%s", word + 5);
        else if (strncmp(word, "skip=", 5) == 0)
            rule->skip = atol(word + 5);
        else if (strncmp(word, "times=", 6) == 0)
            rule->times = atol(word + 6);
        else if (strncmp(word, "from=", 5) == 0)
            rule->from = atoll(word + 5);
        else if (strncmp(word, "ms=", 3) == 0)
            rule->ms = atol(word + 3);
        else
            return "no such condition";
    }
    return NULL;
}

static void obey(char *line)
{
    struct rule rule;
    const char *fault = NULL;
    long count = -1;
    pthread_mutex_lock(&lock);
    if (strcmp(line, "clear") == 0) {
        rule_count = 0;
        caseless = 0;
    } else if (strcmp(line, "caseless") == 0) {
        caseless = 1;
    } else if (strncmp(line, "count ", 6) == 0) {
        fault = "no such call";
        for (int i = 0; i < OPS; i++)
            if (strcmp(line + 6, op_names[i]) == 0) {
                count = counts[i];
                fault = NULL;
            }
    } else if (rule_count == MAX_RULES) {
        fault = "too many rules";
    } else if (!(fault = read_rule(line, &rule))) {
        rules[rule_count++] = rule;
    }
    pthread_mutex_unlock(&lock);
    if (fault)
        printf("error %s\n", fault);
    else if (count >= 0)
        printf("count %ld\n", count);
    else
        printf("ok\n");
    fflush(stdout);
}

static void *listen_to_input(void *unused)
{
    char line[1024];
    (void)unused;
    printf("ok\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    /* Whatever still waits in here ends with ENOTCONN. */
    fuse_session_unmount(session);
    _exit(0);
}

/* ---- files ---- */

static struct node *node_of(fuse_ino_t ino)
{
    return ino == FUSE_ROOT_ID ? &root : (struct node *)(uintptr_t)ino;
}

static int fd_of(fuse_ino_t ino)
{
    return node_of(ino)->fd;
}

static const char *proc_path(int fd, char *room, size_t size)
{
    snprintf(room, size, "/proc/self/fd/%d", fd);
    return room;
}

/* Without regard to case: the name that is there, else the one asked for. */
static const char *true_name(int parent, const char *name, char *room)
{
    struct stat unused;
    if (!caseless || fstatat(parent, name, &unused, AT_SYMLINK_NOFOLLOW) == 0)
        return name;
    int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    const char *found = name;
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        if (strcasecmp(entry->d_name, name) == 0) {
            found = strcpy(room, entry->d_name);
            break;
        }
    if (directory)
        closedir(directory);
    return found;
}

static int find(fuse_ino_t parent, const char *name, struct fuse_entry_param *entry)
{
    char room[NAME_MAX + 1];
    memset(entry, 0, sizeof *entry);
    int fd = openat(fd_of(parent), true_name(fd_of(parent), name, room), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    if (fstatat(fd, "", &entry->attr, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        int error = errno;
        close(fd);
        return error;
    }

    pthread_mutex_lock(&lock);
    struct node *node = NULL;
    for (struct node *each = root.next; each != &root; each = each->next)
        if (each->ino == entry->attr.st_ino && each->dev == entry->attr.st_dev)
            node = each;
    if (node) {
        close(fd);
    } else {
        node = calloc(1, sizeof *node);
        node->fd = fd;
        node->ino = entry->attr.st_ino;
        node->dev = entry->attr.st_dev;
        node->next = root.next;
        node->prev = &root;
        root.next->prev = node;
        root.next = node;
    }
    node->lookups++;
    pthread_mutex_unlock(&lock);
    entry->ino = (uintptr_t)node;
    return 0;
}

static void reply_entry(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param entry;
    int error = find(parent, name, &entry);
    if (error)
        fuse_reply_err(req, error);
    else
        fuse_reply_entry(req, &entry);
}

/* Whether a call ends here, with the error it was told to have, or with none. */
static int ends(fuse_req_t req, int verdict)
{
    if (verdict == 0)
        return 0;
    fuse_reply_err(req, verdict == PRETEND ? 0 : verdict);
    return 1;
}

static void reply(fuse_req_t req, int result)
{
    fuse_reply_err(req, result == 0 ? 0 : errno);
}

static void do_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    int verdict = decide(LOOKUP, name, 0);
    if (verdict > 0)
        fuse_reply_err(req, verdict);
    else
        reply_entry(req, parent, name);
}

static void forget(struct node *node, uint64_t lookups)
{
    if (node == &root)
        return;
    pthread_mutex_lock(&lock);
    node->lookups -= lookups;
    if (node->lookups == 0) {
        node->prev->next = node->next;
        node->next->prev = node->prev;
        close(node->fd);
        free(node);
    }
    pthread_mutex_unlock(&lock);
}

static void do_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
    forget(node_of(ino), lookups);
    fuse_reply_none(req);
}

static void do_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *all)
{
    for (size_t i = 0; i < count; i++)
        forget(node_of(all[i].ino), all[i].nlookup);
    fuse_reply_none(req);
}

static void reply_attributes(fuse_req_t req, int fd)
{
    struct stat attributes;
    if (fstatat(fd, "", &attributes, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_attr(req, &attributes, 0);
}

static void do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)info;
    int verdict = decide_fd(GETATTR, fd_of(ino), 0);
    if (verdict > 0)
        fuse_reply_err(req, verdict);
    else
        reply_attributes(req, fd_of(ino));
}

static void do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *to, int valid, struct fuse_file_info *info)
{
    char path[64];
    int fd = fd_of(ino);
    int result = 0;
    int verdict = decide_fd(SETATTR, fd, valid & FUSE_SET_ATTR_SIZE ? to->st_size : 0);
    if (verdict > 0) {
        fuse_reply_err(req, verdict);
        return;
    }
    proc_path(fd, path, sizeof path);
    if (verdict == 0 && valid & FUSE_SET_ATTR_MODE)
        result = chmod(path, to->st_mode);
    if (verdict == 0 && result == 0 && valid & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
        result = fchownat(fd, "", valid & FUSE_SET_ATTR_UID ? to->st_uid : (uid_t)-1,
            valid & FUSE_SET_ATTR_GID ? to->st_gid : (gid_t)-1, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW);
    if (verdict == 0 && result == 0 && valid & FUSE_SET_ATTR_SIZE)
        result = info ? ftruncate((int)info->fh, to->st_size) : truncate(path, to->st_size);
    if (verdict == 0 && result == 0 && valid & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME)) {
        struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_OMIT } };
        if (valid & FUSE_SET_ATTR_ATIME)
            times[0] = valid & FUSE_SET_ATTR_ATIME_NOW ? (struct timespec){ 0, UTIME_NOW } : to->st_atim;
        if (valid & FUSE_SET_ATTR_MTIME)
            times[1] = valid & FUSE_SET_ATTR_MTIME_NOW ? (struct timespec){ 0, UTIME_NOW } : to->st_mtim;
        result = utimensat(AT_FDCWD, path, times, 0);
    }
    if (result != 0)
        fuse_reply_err(req, errno);
    else
        reply_attributes(req, fd);
}

static void do_readlink(fuse_req_t req, fuse_ino_t ino)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(fd_of(ino), "", target, sizeof target - 1);
    if (length < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    target[length] = 0;
    fuse_reply_readlink(req, target);
}

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
    char room[NAME_MAX + 1];
    if (mknodat(fd_of(parent), true_name(fd_of(parent), name, room), mode, dev) != 0)
        fuse_reply_err(req, errno);
    else
        reply_entry(req, parent, name);
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    char room[NAME_MAX + 1];
    if (ends(req, decide(MKDIR, name, 0)))
        return;
    if (mkdirat(fd_of(parent), true_name(fd_of(parent), name, room), mode) != 0)
        fuse_reply_err(req, errno);
    else
        reply_entry(req, parent, name);
}

static void do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    char room[NAME_MAX + 1];
    if (ends(req, decide(SYMLINK, name, 0)))
        return;
    if (symlinkat(target, fd_of(parent), true_name(fd_of(parent), name, room)) != 0)
        fuse_reply_err(req, errno);
    else
        reply_entry(req, parent, name);
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    char room[NAME_MAX + 1];
    if (!ends(req, decide(UNLINK, name, 0)))
        reply(req, unlinkat(fd_of(parent), true_name(fd_of(parent), name, room), 0));
}

static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    char room[NAME_MAX + 1];
    if (!ends(req, decide(RMDIR, name, 0)))
        reply(req, unlinkat(fd_of(parent), true_name(fd_of(parent), name, room), AT_REMOVEDIR));
}

/* For a rename, the name of a rule is the old one or the new one. */
static int decide_two(enum op op, const char *name, const char *other)
{
    int verdict = decide(op, name, 0);
    return verdict != 0 ? verdict : decide(op, other, 0);
}

static void do_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to, const char *new_name, unsigned flags)
{
    char room[NAME_MAX + 1], new_room[NAME_MAX + 1];
    struct stat unused;
    if (ends(req, decide_two(RENAME, name, new_name)))
        return;
    name = true_name(fd_of(parent), name, room);
    new_name = true_name(fd_of(to), new_name, new_room);
    if (fstatat(fd_of(to), new_name, &unused, AT_SYMLINK_NOFOLLOW) == 0 && ends(req, decide_two(REPLACE, name, new_name)))
        return;
    reply(req, renameat2(fd_of(parent), name, fd_of(to), new_name, flags));
}

static void do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t to, const char *name)
{
    char path[64], room[NAME_MAX + 1];
    if (ends(req, decide(LINK, name, 0)))
        return;
    if (linkat(AT_FDCWD, proc_path(fd_of(ino), path, sizeof path), fd_of(to), true_name(fd_of(to), name, room), AT_SYMLINK_FOLLOW) != 0)
        fuse_reply_err(req, errno);
    else
        reply_entry(req, to, name);
}

static void do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *info)
{
    char room[NAME_MAX + 1];
    struct fuse_entry_param entry;
    if (ends(req, decide(CREATE, name, 0)))
        return;
    int fd = openat(fd_of(parent), true_name(fd_of(parent), name, room), ((info->flags | O_CREAT) & ~(O_NOFOLLOW | O_DIRECT)) | O_CLOEXEC, mode);
    if (fd < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    int error = find(parent, name, &entry);
    if (error) {
        close(fd);
        fuse_reply_err(req, error);
        return;
    }
    info->fh = (uint64_t)fd;
    fuse_reply_create(req, &entry, info);
}

static void do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    char path[64];
    if (ends(req, decide_fd(OPEN, fd_of(ino), 0)))
        return;
    int fd = open(proc_path(fd_of(ino), path, sizeof path), (info->flags & ~(O_NOFOLLOW | O_DIRECT)) | O_CLOEXEC);
    if (fd < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    info->fh = (uint64_t)fd;
    fuse_reply_open(req, info);
}

static void do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
    if (ends(req, decide_fd(READ, fd_of(ino), offset + (off_t)size)))
        return;
    struct fuse_bufvec data = FUSE_BUFVEC_INIT(size);
    data.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
    data.buf[0].fd = (int)info->fh;
    data.buf[0].pos = offset;
    fuse_reply_data(req, &data, FUSE_BUF_SPLICE_MOVE);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
    int verdict = decide_fd(WRITE, fd_of(ino), offset + (off_t)size);
    if (verdict == PRETEND) {
        /* As servers do that find out later: the length is right, and zeros are in it. */
        struct stat now;
        if (fstat((int)info->fh, &now) == 0 && now.st_size < offset + (off_t)size)
            (void)!ftruncate((int)info->fh, offset + (off_t)size);
        fuse_reply_write(req, size);
    } else if (verdict > 0) {
        fuse_reply_err(req, verdict);
    } else {
        ssize_t written = pwrite((int)info->fh, bytes, size, offset);
        if (written < 0)
            fuse_reply_err(req, errno);
        else
            fuse_reply_write(req, (size_t)written);
    }
}

static void do_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)info;
    if (!ends(req, decide_fd(FLUSH, fd_of(ino), 0)))
        fuse_reply_err(req, 0);
}

static void do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)ino;
    close((int)info->fh);
    fuse_reply_err(req, 0);
}

static void do_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
    if (!ends(req, decide_fd(FSYNC, fd_of(ino), 0)))
        reply(req, data_only ? fdatasync((int)info->fh) : fsync((int)info->fh));
}

static void do_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length, struct fuse_file_info *info)
{
    if (!ends(req, decide_fd(FALLOCATE, fd_of(ino), offset + length)))
        reply(req, fallocate((int)info->fh, mode, offset, length));
}

static void do_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *info)
{
    if (ends(req, decide_fd(LSEEK, fd_of(ino), 0)))
        return;
    off_t at = lseek((int)info->fh, offset, whence);
    if (at < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_lseek(req, at);
}

static void do_flock(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info, int operation)
{
    if (!ends(req, decide_fd(FLOCK, fd_of(ino), 0)))
        reply(req, flock((int)info->fh, operation));
}

static void do_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct statvfs answer;
    int verdict = decide_fd(STATFS, fd_of(ino), 0);
    if (verdict > 0)
        fuse_reply_err(req, verdict);
    else if (fstatvfs(fd_of(ino), &answer) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_statfs(req, &answer);
}

/* ---- directories ---- */

static void do_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    if (ends(req, decide_fd(OPENDIR, fd_of(ino), 0)))
        return;
    int fd = openat(fd_of(ino), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        fuse_reply_err(req, errno);
        return;
    }
    info->fh = (uint64_t)(uintptr_t)directory;
    fuse_reply_open(req, info);
}

static void do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
    DIR *directory = (DIR *)(uintptr_t)info->fh;
    char *answer = malloc(size);
    size_t used = 0;
    (void)ino;
    seekdir(directory, offset);
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct stat attributes = { .st_ino = entry->d_ino, .st_mode = (mode_t)entry->d_type << 12 };
        size_t length = fuse_add_direntry(req, answer + used, size - used, entry->d_name, &attributes, entry->d_off);
        if (length > size - used)
            break;
        used += length;
    }
    fuse_reply_buf(req, answer, used);
    free(answer);
}

static void do_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)ino;
    closedir((DIR *)(uintptr_t)info->fh);
    fuse_reply_err(req, 0);
}

static void do_fsyncdir(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
    (void)data_only;
    if (!ends(req, decide_fd(FSYNCDIR, fd_of(ino), 0)))
        reply(req, fsync(dirfd((DIR *)(uintptr_t)info->fh)));
}

static void do_init(void *unused, struct fuse_conn_info *connection)
{
    (void)unused;
    connection->want |= connection->capable & FUSE_CAP_FLOCK_LOCKS;
    connection->want &= ~(unsigned)FUSE_CAP_WRITEBACK_CACHE;
}

static const struct fuse_lowlevel_ops operations = {
    .init = do_init, .lookup = do_lookup, .forget = do_forget, .forget_multi = do_forget_multi, .getattr = do_getattr,
    .setattr = do_setattr, .readlink = do_readlink, .mknod = do_mknod, .mkdir = do_mkdir, .symlink = do_symlink,
    .unlink = do_unlink, .rmdir = do_rmdir, .rename = do_rename, .link = do_link, .create = do_create, .open = do_open,
    .read = do_read, .write = do_write, .flush = do_flush, .release = do_release, .fsync = do_fsync,
    .fallocate = do_fallocate, .lseek = do_lseek, .flock = do_flock, .statfs = do_statfs, .opendir = do_opendir,
    .readdir = do_readdir, .releasedir = do_releasedir, .fsyncdir = do_fsyncdir,
};

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: faultyfs BACKING MOUNT\n");
        return 2;
    }

    umask(0);
    root.fd = open(argv[1], O_PATH | O_CLOEXEC);
    root.lookups = 2;
    root.next = root.prev = &root;
    if (root.fd < 0) {
        perror(argv[1]);
        return 1;
    }

    char *options[] = { argv[0], "-o", "fsname=faultyfs,subtype=faultyfs,default_permissions" };
    struct fuse_args args = FUSE_ARGS_INIT(3, options);
    pthread_t listener;
    session = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!session || fuse_session_mount(session, argv[2]) != 0)
        return 3;
    if (pthread_create(&listener, NULL, listen_to_input, NULL) != 0)
        return 1;

    int result = fuse_session_loop_mt(session, 0);
    fuse_session_unmount(session);
    return result == 0 ? 0 : 1;
}
