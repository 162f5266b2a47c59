/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions by which programs walk their own stacks, and the probes on them (bpf/unwind.bpf.c).
 */
#ifndef DASHCAM_CAPTURE_UNWINDERS_H
#define DASHCAM_CAPTURE_UNWINDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct resolver;
struct resolver_listing;

/* A file that was looked into. */
struct unwinder_file {
	dev_t device;
	ino_t inode;
	int found;
};

/* Zero-initialised is empty. */
struct unwinders {
	int walk_fd;    /* the program for those that walk stacks */
	int catch_fd;   /* and for those where an exception has arrived */
	bool has_multi; /* they are programs for many places */
	struct unwinder_file *files;
	size_t file_count, file_capacity;
	int *fds; /* of links and events */
	size_t fd_count, fd_capacity;
};

/* May the file be a library that walks stacks, by its name? */
bool unwinders_is_library(const char *path);

/* If exceptions may go through the functions of LISTING: is it known by which unwinder? One that is
 * linked into a file without symbols cannot be found. */
bool unwinders_are_known(const struct resolver_listing *listing);

/* Finds the functions in the file PATH and puts the program on each. Returns how many there are (0
 * is fine), also if they have it already; or a negative errno. */
int unwinders_add(struct unwinders *unwinders, struct resolver *resolver, const char *path);

/* Takes all probes away. */
void unwinders_release(struct unwinders *unwinders);

#endif
