// The smallest useful program: print, take memory from the heap, print into it, give it back.

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    puts("Hello world!");

    char *buf = malloc(1024);
    if (!buf) {
        puts("no memory for the buffer");
        return 1;
    }
    printf("buf ptr: %p\n", (void *)buf);
    sprintf(buf, "%d", 1234);
    printf("buf: %s\n", buf);
    free(buf);
    return 0;
}
