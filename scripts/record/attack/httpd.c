// SPDX-License-Identifier: Apache-2.0
// The web server of the recorded intrusion: httpd ADDRESS PORT ROOT UID. Serves files; its page /status has a hole:
// what follows the question mark is run by the shell.
#include <arpa/inet.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void decode(char *text) {
  char *to = text;
  for (; *text; text++) {
    unsigned int c;
    if (*text == '%' && sscanf(text + 1, "%2x", &c) == 1) {
      *to++ = (char)c;
      text += 2;
    } else {
      *to++ = *text;
    }
  }
  *to = 0;
}

static void send_all(int client, FILE *from) {
  char bytes[4096];
  size_t n;
  const char *head = "HTTP/1.0 200 OK\r\n\r\n";
  if (write(client, head, strlen(head)) < 0) return;
  while ((n = fread(bytes, 1, sizeof bytes, from)) > 0) {
    if (write(client, bytes, n) < 0) return;
  }
}

static void serve(int client) {
  char request[2048];
  char path[2048];
  ssize_t n = read(client, request, sizeof request - 1);
  if (n <= 0) return;
  request[n] = 0;
  if (sscanf(request, "GET /%2000s", path) != 1) strcpy(path, "index.html");
  decode(path);
  if (strncmp(path, "status?", 7) == 0) {
    FILE *answer = popen(path + 7, "r");
    if (answer) {
      send_all(client, answer);
      pclose(answer);
    }
    return;
  }
  FILE *file = fopen(path, "r");
  if (!file) return;
  send_all(client, file);
  fclose(file);
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
  int yes = 1;
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  inet_pton(AF_INET, argv[1], &address.sin_addr);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(server, (struct sockaddr *)&address, sizeof address) != 0 || listen(server, 8) != 0) return 1;
  int id = atoi(argv[4]);
  if (chdir(argv[3]) != 0 || setgroups(0, NULL) != 0 || setgid(id) != 0 || setuid(id) != 0) return 1;
  signal(SIGPIPE, SIG_IGN);
  if (daemon(1, 0) != 0) return 1;
  for (;;) {
    int client = accept4(server, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    serve(client);
    close(client);
  }
}
