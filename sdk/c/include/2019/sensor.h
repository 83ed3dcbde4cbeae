// The name that wa-inc/sensor.h had until 2020.
#pragma once
#include "wa-inc/sensor.h"
