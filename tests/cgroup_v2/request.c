/* Sends one request of the Engine API, and prints the answer: request SOCKET METHOD PATH. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int count, char **words) {
  if (count != 4) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, words[1], sizeof address.sun_path - 1);
  int connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr *)&address, sizeof address) < 0) {
    perror(words[1]);
    return 1;
  }
  dprintf(connection, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", words[2], words[3]);
  char bytes[4096];
  ssize_t length;
  while ((length = read(connection, bytes, sizeof bytes)) > 0)
    if (write(1, bytes, length) != length) return 1;
  return 0;
}
