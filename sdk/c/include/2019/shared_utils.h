// The name that bi-inc/shared_utils.h had until 2020.
#pragma once
#include "bi-inc/shared_utils.h"
