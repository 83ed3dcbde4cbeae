// files DIRECTORY WORD...: writes each word as a line of DIRECTORY/words.txt, reads the file back and prints it.
// Plain POSIX calls and no printf: a third of the size.

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *text)
{
    write(STDOUT_FILENO, text, strlen(text));
}

static void say_number(unsigned number)
{
    char digits[10];
    int first = sizeof digits;
    do
        digits[--first] = '0' + number % 10;
    while (number /= 10);
    write(STDOUT_FILENO, digits + first, sizeof digits - first);
}

static int fail(const char *what)
{
    int error = errno;
    say("cannot ");
    say(what);
    say(", errno ");
    say_number(error);
    say("\n");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        say("usage: files DIRECTORY WORD...\n");
        return 2;
    }
    char path[128];
    if (strlen(argv[1]) > 100)
        return 2;
    strcpy(path, argv[1]);
    strcat(path, "/words.txt");

    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    if (fd < 0)
        return fail("create the file");
    for (int i = 2; i < argc; i++) {
        if (write(fd, argv[i], strlen(argv[i])) < 0 || write(fd, "\n", 1) < 0)
            return fail("write");
    }
    close(fd);

    fd = open(path, O_RDONLY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        return fail("open the file again");
    say_number(status.st_size);
    say(" bytes:\n");

    char part[16];
    ssize_t count;
    while ((count = read(fd, part, sizeof part)) > 0)
        write(STDOUT_FILENO, part, count);
    if (count < 0)
        return fail("read");
    if (lseek(fd, -5, SEEK_END) >= 0 && read(fd, part, 5) == 5) {
        say("the last five: ");
        write(STDOUT_FILENO, part, 5);
    }
    close(fd);
    return 0;
}
