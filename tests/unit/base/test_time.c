/* Do times, spans and rates mean what they say, and are unclear ones refused? */
#include "massrevoke/time.h"

#include <string.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

