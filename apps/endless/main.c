// Never ends by itself: for trying out fuel limits, Ctrl-C and two apps at once.

#include <stdio.h>

static volatile unsigned rounds;

// How often the loop went round, to be asked while the program is suspended.
unsigned rounds_done(void)
{
    return rounds;
}

int main(void)
{
    puts("looping until stopped");
    for (;;)
        rounds = rounds + 1;
}
