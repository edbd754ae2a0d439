/* The program: everything is in cli/. */
#include <stdio.h>

int main(void)
{
    puts("massrevoke " MASSREVOKE_VERSION);
    return 0;
}
