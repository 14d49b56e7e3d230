// The hook that an agent host starts for each of its messages: passes the message on to the relay of this run and says
// what the relay says. A host waits for it before every tool call, so it is one small static program instead of a
// start of Node. It decides nothing: whenever the relay gives no whole answer (none runs, it hangs, it talks nonsense),
// the program that is named after `--` gets the message in its place, and that one knows what each host takes for a no.
//
//   sallyport-hook HOST deny|ask|none -- PROGRAM [ARGUMENT...]
//
// The wire is that of src/cli/relay/hook-socket.ts: "HOST LATE\n" and the message, then end of file; the answer is
// "<exit code> <bytes of standard output>\n", standard output, standard error.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

// Above LIMITS.decideBodyBytes of src/core/limits.ts: what is larger is refused by the relay, or by the program.
constexpr size_t kMaxMessage = 16u << 20;
constexpr size_t kMaxAnswer = 16u << 20;
// The relay's own deadline is 5 s; the hosts let a call pass after 30 s.
constexpr long kTimeoutMs = 7'000;

long now_ms() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000 + t.tv_nsec / 1'000'000;
}

bool read_all(int fd, std::string &into, size_t limit) {
  char block[65536];
  for (;;) {
    const ssize_t n = read(fd, block, sizeof block);
    if (n == 0) return true;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || into.size() + static_cast<size_t>(n) > limit) return false;
    into.append(block, static_cast<size_t>(n));
  }
}

bool write_all(int fd, const char *data, size_t size) {
  while (size > 0) {
    const ssize_t n = write(fd, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool ready(int fd, short events, long until) {
  for (;;) {
    const long left = until - now_ms();
    if (left <= 0) return false;
    pollfd p{fd, events, 0};
    const int n = poll(&p, 1, static_cast<int>(left));
    if (n > 0) return true;
    if (n == 0 || errno != EINTR) return false;
  }
}

bool send_all(int fd, const std::string &text, long until) {
  size_t sent = 0;
  while (sent < text.size()) {
    if (!ready(fd, POLLOUT, until)) return false;
    const ssize_t n = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    sent += static_cast<size_t>(n);
  }
  return true;
}

bool receive_all(int fd, std::string &into, long until) {
  char block[65536];
  for (;;) {
    if (!ready(fd, POLLIN, until)) return false;
    const ssize_t n = recv(fd, block, sizeof block, MSG_DONTWAIT);
    if (n == 0) return true;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0 || into.size() + static_cast<size_t>(n) > kMaxAnswer) return false;
    into.append(block, static_cast<size_t>(n));
  }
}

bool ask(const char *path, const std::string &question, std::string &answer) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (std::strlen(path) >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path, std::strlen(path));
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return false;
  const long until = now_ms() + kTimeoutMs;
  const bool whole = connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 &&
                     send_all(fd, question, until) && shutdown(fd, SHUT_WR) == 0 && receive_all(fd, answer, until);
  close(fd);
  return whole;
}

// The exit code, or -1 for an answer that is not whole; then nothing has been written.
int say(const std::string &answer) {
  const size_t end = answer.find('\n');
  if (end == std::string::npos || end < 3 || end > 10 || answer[1] != ' ') return -1;
  if (answer[0] != '0' && answer[0] != '2') return -1;
  size_t bytes = 0;
  for (size_t i = 2; i < end; i++) {
    if (answer[i] < '0' || answer[i] > '9') return -1;
    bytes = bytes * 10 + static_cast<size_t>(answer[i] - '0');
  }
  const size_t from = end + 1;
  if (bytes > answer.size() - from) return -1;
  write_all(STDERR_FILENO, answer.data() + from + bytes, answer.size() - from - bytes);
  // A no that could not be said is still a no: every host takes exit code 2 for one.
  if (!write_all(STDOUT_FILENO, answer.data() + from, bytes)) return 2;
  return answer[0] - '0';
}

int block(const char *sentence) {
  write_all(STDERR_FILENO, sentence, std::strlen(sentence));
  return 2;
}

// Runs the program in this one's place, with the message as its standard input.
int hand_over(char **program, const std::string &message) {
  if (FILE *file = std::tmpfile()) {
    const int fd = fileno(file);
    if (write_all(fd, message.data(), message.size()) && lseek(fd, 0, SEEK_SET) == 0 &&
        dup2(fd, STDIN_FILENO) >= 0) {
      std::signal(SIGPIPE, SIG_DFL);
      execvp(program[0], program);
    }
  }
  return block("The gate can not be asked, and neither can the program that stands in for it: the call is blocked.\n");
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN); // a death by signal is no answer, and hosts let such a call pass
  if (argc < 5 || std::strcmp(argv[3], "--") != 0)
    return block("usage: sallyport-hook HOST deny|ask|none -- PROGRAM [ARGUMENT...]\n");
  std::string message;
  if (!read_all(STDIN_FILENO, message, kMaxMessage)) return block("The hook input is too large.\n");
  if (const char *path = std::getenv("SALLYPORT_HOOK_SOCKET")) {
    std::string question = std::string(argv[1]) + ' ' + argv[2] + '\n' + message, answer;
    if (ask(path, question, answer))
      if (const int code = say(answer); code >= 0) return code;
  }
  return hand_over(argv + 4, message);
}
