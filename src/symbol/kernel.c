/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/kernel.h"

#include <inttypes.h>
#include <string.h>

/* The last function's size is not known; none is as large as this. */
#define FUNCTION_SIZE_MAX (UINT64_C(1) << 20)

/* Splits "ADDRESS TYPE NAME[\tMODULE]" and writes "NAME MODULE" over NAME. False: no function. */
static bool parse_line(char *line, uint64_t *ret_address, const char **ret_name)
{
	char *at, *tab;

	*ret_address = strtoull(line, &at, 16);
	if (at == line || at[0] != ' ' || !at[1] || at[2] != ' ' || !strchr("tTwW", at[1]))
		return false;
	at += 3;
	at[strcspn(at, "\n")] = '\0';
	tab = strchr(at, '\t');
	if (tab)
		*tab = ' ';
	*ret_name = at;
	return true;
}

size_t kernel_read_symbols(FILE *in, struct symbols *symbols)
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, in) > 0) {
		struct symbol symbol = {.open_end = 1};
		const char *name;

		if (!parse_line(line, &symbol.start, &name) || symbol.start == 0)
			continue;
		symbol.end = symbol.start < UINT64_MAX - FUNCTION_SIZE_MAX
				     ? symbol.start + FUNCTION_SIZE_MAX
				     : UINT64_MAX;
		symbols_add(symbols, &symbol, name);
	}
	symbols_finish(symbols);
	return symbols->count;
}
