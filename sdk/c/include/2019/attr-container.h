// The name that attr_container.h had in May 2019.
#pragma once
#include "bi-inc/attr_container.h"
