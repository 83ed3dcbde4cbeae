// The name that wa-inc/request.h had until 2020.
#pragma once
#include "wa-inc/request.h"
