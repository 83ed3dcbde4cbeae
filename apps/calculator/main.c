// A calculator for three arguments, NUMBER OPERATOR NUMBER: a table of names, letters and functions in static data.
// Its emscripten build needs what position-independent code is for: the data relocated and the table filled at start-up.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int divisions_by_zero;

static int add(int a, int b)
{
    return a + b;
}

static int subtract(int a, int b)
{
    return a - b;
}

static int multiply(int a, int b)
{
    return a * b;
}

static int divide(int a, int b)
{
    if (b == 0) {
        divisions_by_zero++;
        return 0;
    }
    return a / b;
}

struct operation {
    const char *sign;
    const char *name;
    int (*apply)(int a, int b);
};

// Not static: in the emscripten build the address of a public object comes from an import named GOT.mem.
const struct operation operations[] = {
    {"+", "sum", add},
    {"-", "difference", subtract},
    {"x", "product", multiply},
    {"/", "quotient", divide},
};
const struct operation *const operations_end = operations + sizeof operations / sizeof *operations;

static int calculate(int a, const char *sign, int b)
{
    for (const struct operation *op = operations; op != operations_end; op++) {
        if (strcmp(op->sign, sign) == 0) {
            printf("%s of %d and %d: %d\n", op->name, a, b, op->apply(a, b));
            return divisions_by_zero ? 3 : 0;
        }
    }
    printf("unknown operation: %s\n", sign);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return calculate(atoi(argv[1]), argv[2], atoi(argv[3]));

    for (const struct operation *op = operations; op != operations_end; op++)
        calculate(84, op->sign, 2);
    return 0;
}
