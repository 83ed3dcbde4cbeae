// The name that bi-inc/attr_container.h had until 2020.
#pragma once
#include "bi-inc/attr_container.h"
