/* stock.h - runs the stock tools (openssl, nginx) in a temporary folder. */
#ifndef TESTS_STOCK_H
#define TESTS_STOCK_H

#include "massrevoke/text.h"

#include <sys/types.h>

#define STOCK_PATH 512

/* Makes an empty folder below TMPDIR or /tmp; path in out. */
void stock_folder(char out[static STOCK_PATH]);

/* Deletes it with everything in it. */
void stock_remove(const char *folder);

/* Runs `command` (words by single blanks) inside the folder, output
 * to FOLDER/log; exit code, 127 when the tool is missing. */
int stock_run(const char *folder, const char *command);

/* The same in the background; its process id. */
pid_t stock_start(const char *folder, const char *command);

/* Ends a background process and waits for it. */
void stock_stop(pid_t pid);

/* Writes a file below the folder. */
void stock_write(const char *folder, const char *name, struct str bytes);

/* The same with what stands in `file`, its first `what` replaced; that must be there. */
void stock_edit(const char *file, const char *what, const char *instead, const char *folder,
                const char *name);

/* Makes server.pem and server.key in the folder: a certificate of its own for 127.0.0.1, and for no name. */
bool stock_server_certificate(const char *folder);

/* A TCP port of 127.0.0.1 that was free just now. */
int stock_port(void);

/* Waits up to 5 s until something listens there. */
bool stock_wait_port(int port);

/* Waits up to 5 s until FOLDER/log holds the text: for servers that a bare connection upsets (`openssl ocsp`
 * waits for ever for the request line of one that was closed). */
bool stock_wait_log(const char *folder, const char *text);

/* A folder with an `openssl ca` directory: ca.pem, ca.key, openssl.cnf, index.txt, crlnumber; `count` valid
 * rows with serials 1001, 1002, ... (hex), of which the first `revoked` are revoked as superseded; and
 * crl.der made by `openssl ca -gencrl`. False when the tools are missing. */
bool stock_ca(const char *folder, int count, int revoked);

#endif
