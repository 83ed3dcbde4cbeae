// The C library's part, as it was named in 2019.
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
