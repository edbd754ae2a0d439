#include "stock.h"
#include "massrevoke/file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(what) ((what) ? (void)0 : (fprintf(stderr, "stock: %s\n", #what), abort()))
#define WORDS_MAX 40

void stock_folder(char out[static STOCK_PATH])
{
    const char *base = getenv("TMPDIR");
    snprintf(out, STOCK_PATH, "%s/stock.XXXXXX", base == NULL ? "/tmp" : base);
    CHECK(mkdtemp(out) != NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

void stock_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static _Noreturn void run_child(const char *folder, const char *command)
{
    char text[2048], *words[WORDS_MAX] = {0};
    snprintf(text, sizeof text, "%s", command);
    size_t n = 0;
    for (char *p = text; p != NULL && n + 1 < WORDS_MAX;) {
        words[n++] = p;
        p = strchr(p, ' ');
        if (p != NULL)
            *p++ = '\0';
    }
    int log = -1;
    if (chdir(folder) == 0)
        log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (log >= 0) {
        dup2(log, 1);
        dup2(log, 2);
        execvp(words[0], words);
    }
    _exit(127);
}

pid_t stock_start(const char *folder, const char *command)
{
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        run_child(folder, command);
    return pid;
}

int stock_run(const char *folder, const char *command)
{
    int status;
    pid_t pid = stock_start(folder, command);
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void stock_stop(pid_t pid)
{
    if (pid > 0 && kill(pid, SIGTERM) == 0)
        waitpid(pid, NULL, 0);
}

void stock_write(const char *folder, const char *name, struct str bytes)
{
    char path[2 * STOCK_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes.p, 1, bytes.n, file) == bytes.n);
    CHECK(fclose(file) == 0);
}

void stock_edit(const char *file, const char *what, const char *instead, const char *folder, const char *name)
{
    AUTO_ARENA a = {0};
    AUTO_BUF text = {0};
    struct fault f;
    struct str bytes;
    CHECK(file_read(file, 1 << 20, &a, &bytes, &f));
    const char *at = memmem(bytes.p, bytes.n, what, strlen(what));
    CHECK(at != NULL);
    size_t before = (size_t)(at - bytes.p), behind = before + strlen(what);
    buf_add(&text, bytes.p, before);
    buf_text(&text, instead);
    buf_add(&text, bytes.p + behind, bytes.n - behind);
    stock_write(folder, name, buf_str(&text));
}

bool stock_server_certificate(const char *folder)
{
    return stock_run(
               folder,
               "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key "
               "-out server.pem -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1") == 0;
}

static struct sockaddr_in local(int port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int stock_port(void)
{
    struct sockaddr_in at = local(0);
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, n) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &n) == 0);
    close(fd);
    return ntohs(at.sin_port);
}

bool stock_wait_port(int port)
{
    struct sockaddr_in at = local(port);
    for (int i = 0; i < 100; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool up = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
        close(fd);
        if (up)
            return true;
        poll(NULL, 0, 50);
    }
    return false;
}

bool stock_wait_log(const char *folder, const char *text)
{
    char path[2 * STOCK_PATH], bytes[16384];
    snprintf(path, sizeof path, "%s/log", folder);
    for (int i = 0; i < 100; i++) {
        FILE *file = fopen(path, "rb");
        size_t n = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
        if (file != NULL)
            fclose(file);
        if (n > 0 && memmem(bytes, n, text, strlen(text)) != NULL)
            return true;
        poll(NULL, 0, 50);
    }
    return false;
}

static const char configuration[] =
    "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\ncrlnumber = crlnumber\ncertificate = ca.pem\n"
    "private_key = ca.key\ndefault_md = sha256\ndefault_crl_days = 7\ncrl_extensions = e\n"
    "[e]\nauthorityKeyIdentifier = keyid:always\n"
    "[req]\ndistinguished_name = n\nx509_extensions = v\n[n]\n"
    "[v]\nbasicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign,digitalSignature\n"
    "subjectKeyIdentifier = hash\n";

bool stock_ca(const char *folder, int count, int revoked)
{
    AUTO_BUF index = {0};
    for (int i = 0; i < count; i++)
        buf_format(&index, "%c\t351231235959Z\t%s\t%04X\tunknown\t/CN=host%d.example\n",
                   i < revoked ? 'R' : 'V', i < revoked ? "251101120000Z,superseded" : "", 0x1001 + i, i);
    stock_write(folder, "openssl.cnf", str_of(configuration));
    stock_write(folder, "index.txt", buf_str(&index));
    stock_write(folder, "crlnumber", str_of("1A\n"));
    return stock_run(folder, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 "
                             "-subj /CN=Stock -config openssl.cnf -keyout ca.key -out ca.pem") == 0 &&
           stock_run(folder, "openssl ca -gencrl -config openssl.cnf -out crl.pem") == 0 &&
           stock_run(folder, "openssl crl -in crl.pem -outform DER -out crl.der") == 0;
}
