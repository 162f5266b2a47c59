/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture/function_choice.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/function_parameters.h"
#include "capture/function_pick.h"
#include "capture/function_program.h"
#include "capture/function_variant.h"
#include "symbol/resolver.h"

/* A file to be looked at, or that was. */
struct candidate {
	char *binary;   /* as resolver_query has it */
	uint32_t pid;   /* that maps it; 0: none */
	uint64_t inode; /* with the device: which file it is; 0: not known before it is opened */
	uint64_t device;
	bool is_program;
	const char
		*wish; /* that names this file: it must be there; NULL: it was found on the way */
};

struct search {
	const struct function_request *request;
	struct resolver *resolver;
	struct function_choice *choice;
	struct function_pick *pick;
	struct candidate *items;
	size_t count;
	size_t capacity;
	bool wants_libraries;
};

/* ---- which files ---- */

static void add_candidate(struct search *search, const struct candidate *candidate)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct candidate *known = &search->items[i];

		if (!strcmp(known->binary, candidate->binary) && known->inode == candidate->inode &&
		    known->device == candidate->device)
			return;
	}
	array_reserve((void **)&search->items, &search->capacity, search->count + 1,
		      sizeof(*search->items));
	search->items[search->count] = *candidate;
	search->items[search->count++].binary = xstrdup(candidate->binary);
}

static int add_program_of_command(struct search *search)
{
	_cleanup_free_ char *path = NULL;
	int err = function_program_find(search->request->command, &path);

	if (err)
		return err;
	add_candidate(search, &(struct candidate){.binary = path, .is_program = true});
	return 0;
}

static int add_program_of_process(struct search *search, uint32_t pid)
{
	_cleanup_free_ char *link = xasprintf("/proc/%u/exe", pid);
	char path[PATH_MAX];
	ssize_t size = readlink(link, path, sizeof(path) - 1);
	struct stat status;

	if (size < 0 && errno == ENOENT)
		return fail(-ENOENT, "process %u has ended, or is a thread of the kernel", pid);
	if (size < 0 || stat(link, &status))
		return fail_errno(-errno, "finding the program of process %u", pid);
	path[size] = '\0';
	add_candidate(search, &(struct candidate){.binary = path,
						  .pid = pid,
						  .inode = status.st_ino,
						  .device = status.st_dev,
						  .is_program = true});
	return 0;
}

/* Programs come first: they say whether stacks are switched. */
static int add_programs(struct search *search)
{
	const struct function_request *request = search->request;
	int err = request->command ? add_program_of_command(search) : 0;

	for (size_t i = 0; i < request->pid_count && !err; i++)
		err = add_program_of_process(search, request->pids[i]);
	return err;
}

struct mapped_context {
	struct search *search;
	uint32_t pid;
};

static void take_mapped(void *context_, const struct resolver_mapped *file)
{
	struct mapped_context *context = context_;
	char path[PATH_MAX];

	if (strlen(file->path) >= sizeof(path))
		return;
	strcpy(path, file->path);
	add_candidate(context->search, &(struct candidate){.binary = path,
							   .pid = context->pid,
							   .inode = file->inode,
							   .device = file->device});
}

/* What the processes map now. */
static void add_mapped(struct search *search)
{
	for (size_t i = 0; i < search->request->pid_count; i++) {
		struct mapped_context context = {search, search->request->pids[i]};

		resolver_mapped_files(search->resolver, context.pid, take_mapped, &context);
	}
}

/* ---- one file ---- */

/* Was it looked at already, by another name? Notes it. */
static bool was_done(struct search *search, const char *path)
{
	struct function_choice *choice = search->choice;
	struct stat status;

	if (stat(path, &status))
		return false;
	for (size_t i = 0; i < choice->file_seen_count; i++) {
		if (choice->files_seen[i].inode == status.st_ino &&
		    choice->files_seen[i].device == status.st_dev)
			return true;
	}
	array_reserve((void **)&choice->files_seen, &choice->file_seen_capacity,
		      choice->file_seen_count + 1, sizeof(*choice->files_seen));
	choice->files_seen[choice->file_seen_count++] =
		(struct function_file_id){.device = status.st_dev, .inode = status.st_ino};
	return false;
}

static bool has_program(const struct function_request *request)
{
	return request->command || request->pid_count > 0;
}

/* DIRECTORY with $ORIGIN replaced by the directory that FILE lies in; the caller frees it. */
static char *without_origin(const char *directory, const char *file)
{
	const char *last = strrchr(file, '/');
	size_t skip = !strncmp(directory, "$ORIGIN", 7)     ? 7
		      : !strncmp(directory, "${ORIGIN}", 9) ? 9
							    : 0;

	if (!skip || !last)
		return xstrdup(directory);
	return xasprintf("%.*s%s", (int)(last - file), file, directory + skip);
}

/* The library NAME in one of DIRECTORIES, with colons or semicolons between, for FILE; NULL: in
 * none. The caller frees it. */
static char *find_library(const char *directories, const char *file, const char *name)
{
	_cleanup_free_ char *copy = xstrdup(directories);
	char *rest = copy, *directory;

	while ((directory = strsep(&rest, ":;"))) {
		_cleanup_free_ char *real = without_origin(directory, file);
		char *path = real[0] == '/' ? xasprintf("%s/%s", real, name) : NULL;
		struct stat status;

		if (path && !stat(path, &status) && S_ISREG(status.st_mode))
			return path;
		free(path);
	}
	return NULL;
}

/* What a command's program is linked with, looked for as the dynamic linker does. Libraries of a
 * process are found in what it maps. */
static void add_needed(struct search *search, const char *file,
		       const struct resolver_listing *listing)
{
	const char *directories = getenv("LD_LIBRARY_PATH");

	for (size_t i = 0; i < listing->needed_count; i++) {
		const char *name = listing->needed[i];
		_cleanup_free_ char *path =
			directories ? find_library(directories, file, name) : NULL;

		if (!path)
			path = find_library(listing->runpath, file, name);
		if (!path)
			path = xstrdup(name);
		add_candidate(search, &(struct candidate){.binary = path});
	}
}

static int look_into(struct search *search, const struct candidate *candidate,
		     struct resolver_listing *listing)
{
	/* a name that was looked up in the usual directories has become a path */
	bool is_path = strchr(candidate->binary, '/');
	/* where no program was asked about, one that is named is it */
	bool is_program =
		candidate->is_program || (!has_program(search->request) && !*listing->soname);
	const struct function_file file = {.shown = is_path ? candidate->binary : listing->path,
					   .is_program = is_program,
					   .listing = listing};
	size_t from;
	int err;

	if (was_done(search, listing->path))
		return 0;
	if (search->wants_libraries && !candidate->pid && !candidate->wish)
		add_needed(search, file.shown, listing);
	from = search->choice->count;
	err = function_pick_take(search->pick, &file);
	if (!err)
		function_parameters_fill(search->choice, from, search->resolver, listing);
	return err;
}

/* Are its functions wanted, as far as its name tells? */
static bool is_wanted(const struct search *search, const struct candidate *candidate)
{
	return candidate->is_program || candidate->wish ||
	       function_pick_wants(search->pick, false, candidate->binary, "");
}

/* Lists the functions of a file; of one that only leads to others, what it needs. */
static int list(const struct search *search, const struct candidate *candidate,
		struct resolver_listing *ret)
{
	struct resolver_query query = {.binary = candidate->binary,
				       .pids = &candidate->pid,
				       .pid_count = candidate->pid != 0,
				       .only_about = !is_wanted(search, candidate)};
	int err = resolver_list_functions(search->resolver, &query, ret);

	if (err || !query.only_about ||
	    !function_pick_wants(search->pick, false, ret->path, ret->soname))
		return err;
	/* it is wanted by the name that it has inside */
	resolver_listing_release(ret);
	query.only_about = false;
	return resolver_list_functions(search->resolver, &query, ret);
}

static int look_at(struct search *search, const struct candidate *candidate)
{
	struct resolver_listing listing;
	int err;

	if (candidate->pid && !is_wanted(search, candidate))
		return 0;
	err = list(search, candidate, &listing);
	/* a library by its name may come later */
	if (err && candidate->wish &&
	    (!has_program(search->request) || strchr(candidate->binary, '/')))
		return fail(err, "'%s'", candidate->wish);
	if (err && candidate->is_program)
		return err;
	if (err) {
		/* a library that is not where libraries are: what it has may come later */
		fail_clear();
		return 0;
	}
	function_variant_name(&listing);
	err = look_into(search, candidate, &listing);
	resolver_listing_release(&listing);
	return err;
}

/* Looks at all files, those that turn up meanwhile included. */
static int look_at_all(struct search *search, size_t *at)
{
	int err = 0;

	while (*at < search->count && !err) {
		/* a copy: the list may move */
		const struct candidate candidate = search->items[(*at)++];

		err = look_at(search, &candidate);
	}
	return err;
}

/* ---- all of it ---- */

/* Files that are named, and that no process needs or maps (yet). */
static void add_named_files(struct search *search)
{
	for (size_t i = 0; i < search->pick->count; i++) {
		const struct function_try *try = &search->pick->tries[i];

		if (!try->pattern.is_excluded && !try->file_count &&
		    function_pattern_names_file(&try->pattern))
			add_candidate(search, &(struct candidate){.binary = try->pattern.place,
								  .wish = try->text});
	}
}

static int check_request(const struct search *search)
{
	const struct function_request *request = search->request;

	if (has_program(request))
		return 0;
	for (size_t i = 0; i < search->pick->count; i++) {
		const struct function_try *try = &search->pick->tries[i];

		if (!function_pattern_names_file(&try->pattern) && !try->pattern.is_excluded)
			return fail(
				-EINVAL,
				"-F '%s': functions of which program? Give a command, -p PID, or "
				"a file: -F '%s@PATH'",
				try->text, try->pattern.place ? "*" : try->text);
	}
	return 0;
}

/* Are libraries to be looked at? Not where return probes would change the stacks of processes that
 * nobody asked about. */
static int check_libraries(struct search *search)
{
	static const char why[] =
		"functions of libraries are left out: this kernel would put probes on their "
		"returns in all processes (uprobe sessions, from 6.13 on, do not); with -p they "
		"are put into that process only";
	const struct function_request *request = search->request;
	size_t libraries = 0, included = 0;

	for (size_t i = 0; i < search->pick->count; i++) {
		const struct function_pattern *pattern = &search->pick->tries[i].pattern;

		included += !pattern->is_excluded;
		libraries += !pattern->is_excluded && pattern->place;
	}
	search->wants_libraries = libraries && (request->spares_others || !request->command);
	if (!libraries || search->wants_libraries)
		return 0;
	if (libraries == included && !search->pick->tries[0].pattern.is_excluded)
		return fail(-EOPNOTSUPP, "%s", why);
	warn("%s", why);
	return 0;
}

static int make(struct search *search)
{
	size_t at = 0;
	int err = check_request(search);

	if (!err)
		err = check_libraries(search);
	if (!err)
		err = add_programs(search);
	if (!err)
		err = look_at_all(search, &at);
	if (err || !search->wants_libraries)
		return err;
	add_mapped(search);
	err = look_at_all(search, &at);
	if (err)
		return err;
	add_named_files(search);
	return look_at_all(search, &at);
}

/* Can files that are mapped later have functions that are wanted? */
static bool more_may_come(const struct search *search)
{
	if (!search->wants_libraries || !has_program(search->request))
		return false;
	for (size_t i = 0; i < search->pick->count; i++) {
		const struct function_try *try = &search->pick->tries[i];

		if (!try->pattern.is_excluded && try->pattern.place &&
		    (!try->file_count || !function_pattern_names_file(&try->pattern)))
			return true;
	}
	return false;
}

static void keep_pick(struct search *search)
{
	bool keeps = more_may_come(search);

	search->choice->pick = keeps ? search->pick : NULL;
	if (!keeps) {
		function_pick_release(search->pick);
		free(search->pick);
	}
}

int function_choice_make(const struct function_request *request, struct resolver *resolver,
			 struct function_choice *ret)
{
	struct search search = {.request = request, .resolver = resolver, .choice = ret};
	int err;

	*ret = (struct function_choice){0};
	search.pick = xcalloc(1, sizeof(*search.pick));
	err = function_pick_begin(search.pick, request, ret);
	if (!err)
		err = make(&search);
	if (!err)
		err = function_pick_end(search.pick, more_may_come(&search));
	keep_pick(&search);
	for (size_t i = 0; i < search.count; i++)
		free(search.items[i].binary);
	free(search.items);
	return err;
}

/* ---- what is said of it ---- */

static size_t count_flag(const struct function_choice *choice, uint32_t flag)
{
	size_t count = 0;

	for (size_t i = 0; i < choice->count; i++)
		count += (choice->items[i].flags & flag) != 0;
	return count;
}

char *function_choice_summary(const struct function_choice *choice)
{
	static const char *const reasons[FUNCTION_LEFT_REASONS] = {
		[FUNCTION_LEFT_IMPOSSIBLE] = "that cannot be probed",
		[FUNCTION_LEFT_COSTLY] = "without a cheap place",
		[FUNCTION_LEFT_HARMFUL] = "where probes could do harm",
		[FUNCTION_LEFT_CHOOSERS] = "that only choose a variant of another",
	};
	size_t entry_only = count_flag(choice, EVENT_NAME_ENTRY_ONLY);
	struct buffer text = {0};
	bool is_first = true;

	buffer_printf(&text,
		      "%zu function%s of %zu file%s (%zu on a cheap place, %zu on a costly one",
		      choice->count, choice->count == 1 ? "" : "s", choice->file_count,
		      choice->file_count == 1 ? "" : "s", count_flag(choice, EVENT_NAME_CHEAP),
		      count_flag(choice, EVENT_NAME_COSTLY));
	if (entry_only)
		buffer_printf(&text, ", %zu by their entry only", entry_only);
	buffer_printf(&text, ")");
	for (int i = 0; i < FUNCTION_LEFT_REASONS; i++) {
		if (!choice->left_out[i])
			continue;
		buffer_printf(&text, "%s%zu %s", is_first ? "; left out: " : ", ",
			      choice->left_out[i], reasons[i]);
		is_first = false;
	}
	return text.data;
}

void function_choice_release(struct function_choice *choice)
{
	if (choice->pick)
		function_pick_release(choice->pick);
	free(choice->pick);
	free(choice->files_seen);
	free(choice->items);
	arena_release(&choice->arena);
	*choice = (struct function_choice){0};
}
