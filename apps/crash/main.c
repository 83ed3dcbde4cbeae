// Traps four calls deep. Its name section is kept, so that the backtrace shows the names of the functions.

#include <stdio.h>

#define NOINLINE __attribute__((noinline))

struct reading {
    int sum;
    int count;
};

static NOINLINE int average(const volatile struct reading *reading)
{
    return reading->sum / reading->count;
}

static NOINLINE int report_sensor(const volatile struct reading *reading, int number)
{
    int value = average(reading);
    printf("sensor %d: %d\n", number, value);
    return value;
}

static NOINLINE int report_room(const volatile struct reading *readings, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++)
        total += report_sensor(&readings[i], i);
    return total;
}

int main(void)
{
    static const volatile struct reading kitchen[] = {{63, 3}, {0, 0}};
    int total = report_room(kitchen, 2);
    printf("total %d\n", total);
    return 0;
}
