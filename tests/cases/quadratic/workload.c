/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request removes what is double in a list of SIZE entries by comparing each with each: nobody
 * noticed while lists were short.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"

struct scene {
	struct requests requests;
	uint64_t size;
	bool is_text; /* entries are strings, else numbers */
	uint64_t *numbers;
	char (*texts)[32];
};

static NAMED_FUNCTION void fill(struct scene *scene)
{
	for (uint64_t i = 0; i < scene->size; i++) {
		scene->numbers[i] = i * 2654435761;
		snprintf(scene->texts[i], sizeof(scene->texts[i]), "entry %" PRIu64, i);
	}
	KEEP_FRAME();
}

static NAMED_FUNCTION uint64_t count_doubles(const struct scene *scene)
{
	uint64_t doubles = 0;

	for (uint64_t i = 0; i < scene->size; i++)
		for (uint64_t j = i + 1; j < scene->size; j++)
			doubles += scene->is_text ? !strcmp(scene->texts[i], scene->texts[j])
						  : scene->numbers[i] == scene->numbers[j];
	return doubles;
}

static NAMED_FUNCTION void serve(struct requests *requests, void *context)
{
	struct scene *scene = context;

	(void)requests;
	fill(scene);
	if (count_doubles(scene))
		give_up("there is nothing double in the list");
	sleep_ns(NS_PER_MS);
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[2], "numbers") && strcmp(argv[2], "texts")))
		usage("TRUTH numbers|texts SIZE");
	struct scene scene = {
		.requests = {truth_open(argv[1]), serve, &scene, NULL},
		.is_text = !strcmp(argv[2], "texts"),
		.size = number_argument(argv[3], "SIZE"),
	};
	scene.numbers = calloc(scene.size, sizeof(*scene.numbers));
	scene.texts = calloc(scene.size, sizeof(*scene.texts));
	if (!scene.numbers || !scene.texts)
		give_up("allocating the list");
	run_requests(&scene.requests);
	return 0;
}
