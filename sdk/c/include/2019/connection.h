// The name that wa-inc/connection.h had until 2020.
#pragma once
#include "wa-inc/connection.h"
