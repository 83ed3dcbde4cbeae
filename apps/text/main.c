// Numbers to text and back: printf's conversions, the string functions, character classes, strtol and sorting.
// The same source built for a PC prints the same lines; that is where text.exp comes from.

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// Formats through a va_list into a buffer that is too small, as a logger on a small chip would.
static void clipped(const char *format, ...)
{
    char line[10];
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    printf("clipped: \"%s\" of %d characters\n", line, wanted);
}

static void integers(void)
{
    printf("[%d] [%5d] [%-5d] [%05d] [%+d] [% d] [%.4d]\n", 42, 42, 42, 42, 42, 42, 42);
    printf("[%u] [%x] [%X] [%#x] [%o] [%#o] [%c] [%%]\n", 3000000000u, 255, 255, 255, 8, 8, 'Z');
    printf("[%lld] [%llu] [%llx]\n", -9007199254740993LL, 18446744073709551615ULL, 0x123456789abcdefLL);
    printf("[%hhd] [%hd] [%*d] [%-*d]\n", 300, 70000, 6, 42, 6, 42);
    printf("[%s] [%5s] [%-5s] [%.2s] [%8.3s]\n", "text", "ab", "ab", "abcdef", "abcdef");
}

static void floats(void)
{
    static const double values[] = {0.0, -0.0, 0.1, 26.5, -273.15, 1e-7, 123456789.125, 1e22, 1.5e300, 4.9e-324};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        printf("[%g] [%e] [%.10g] [%.17g]\n", values[i], values[i], values[i], values[i]);
    printf("[%f] [%.0f] [%.1f] [%8.3f] [%-8.2f] [%+.2f] [%08.2f]\n", 2.5, 2.5, 0.05, 3.14159, 2.71828, 1.0, -1.5);
    printf("[%f] [%g] [%F] [%5.1f]\n", 1.0 / 0.0, -1.0 / 0.0, 1.0 / 0.0, 1e5);
    printf("[%f] [%.3f]\n", 0.1f, 16777216.0f);
}

static void strings(void)
{
    char line[32];
    strcpy(line, "temperature");
    memmove(line + 4, line, 8);
    line[11] = 0;
    printf("%s %zu %d\n", line, strlen(line), strcmp("abc", "abd") < 0);
    memset(line, '-', 5);
    strncpy(line + 5, "end", 8);
    printf("%s %d %d\n", line, memcmp(line, "-----", 5), line[12]);
    const char *path = "sensor/room/value";
    printf("%s %s %zu %zu\n", strchr(path, '/'), strstr(path, "room"), strspn(path, "senor"), strcspn(path, "/"));
    printf("%d %d %d\n", strncmp(path, "sensory", 6), strncasecmp(path, "SENSOR", 6), strchr(path, '?') == NULL);
    printf("%d\n", (int)((const char *)memchr(path, 'r', 17) - path));
    char *copy = strdup(path);
    char *larger = realloc(copy, 200);
    int *zeros = calloc(4, sizeof *zeros);
    printf("%s %d\n", larger, zeros[0] | zeros[1] | zeros[2] | zeros[3]);
    free(larger);
    free(zeros);
}

static void classes(void)
{
    int digits = 0, letters = 0, upper = 0, spaces = 0, visible = 0, printable = 0, hex = 0, both = 0;
    for (int c = 0; c < 128; c++) {
        digits += isdigit(c) != 0;
        letters += isalpha(c) != 0;
        upper += isupper(c) != 0;
        spaces += isspace(c) != 0;
        visible += isgraph(c) != 0;
        printable += isprint(c) != 0;
        hex += isxdigit(c) != 0;
        both += isalnum(c) != 0;
    }
    printf("%d %d %d %d %d %d %d %d\n", digits, letters, upper, spaces, visible, printable, hex, both);
    for (const char *s = "Hello, World 42!"; *s; s++)
        putchar(isupper(*s) ? tolower(*s) : toupper(*s));
    putchar('\n');
}

static void parsing(void)
{
    static const struct {
        const char *text;
        int base;
    } cases[] = {{"  -42 rest", 10}, {"0x7fG", 16}, {"0x7f", 0}, {"0755", 0}, {"zz", 36},
                 {"none", 10},       {"+7", 10},    {"101", 2},  {"-0", 10}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *end;
        int value = (int)strtol(cases[i].text, &end, cases[i].base);
        printf("\"%s\" base %d: %d, rest \"%s\"\n", cases[i].text, cases[i].base, value, end);
    }
    printf("%d %d %u\n", atoi("12abc"), atoi("abc"), (unsigned)strtoul("4294967295", NULL, 10));
}

static int compare_words(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sorting(void)
{
    const char *words[] = {"pump", "valve", "fan", "motor", "heater", "lamp"};
    const int count = sizeof words / sizeof *words;
    qsort(words, count, sizeof *words, compare_words);
    for (int i = 0; i < count; i++)
        printf("%s%c", words[i], i < count - 1 ? ' ' : '\n');

    const char *wanted = "motor", *missing = "door";
    const char **found = bsearch(&wanted, words, count, sizeof *words, compare_words);
    printf("%s at %d, %s %s\n", wanted, (int)(found - words), missing,
           bsearch(&missing, words, count, sizeof *words, compare_words) ? "found" : "not found");
}

int main(void)
{
    integers();
    floats();
    strings();
    classes();
    parsing();
    sorting();
    clipped("%s=%.3f", "temperature", 26.5);
    return 0;
}
