# SPDX-License-Identifier: BSD-2-Clause
# Installs what building and testing need, from the distribution.

deps: ## install what building and testing need (apt, dnf)
	tools/install-packages build test

.PHONY: deps
