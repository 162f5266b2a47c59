/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol/parameters.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "symbol/source.h"

#define REGISTERS        6
#define WORD_BYTES       8
#define WORDS_MAX        2 /* of a structure that is passed in registers */
#define FLOAT_REGISTERS  8
#define TYPE_DEPTH_MAX   16
#define MEMBERS_MAX      64
#define ARRAY_LENGTH_MAX 16

/* How the ABI passes a word of a value. */
enum word_class {
	WORD_NOTHING,
	WORD_INTEGER,
	WORD_FLOAT,
	WORD_UNKNOWN,
};

/* While the parameters of one function are looked at. */
struct walk {
	struct message_parameter *found;
	unsigned int count;
	unsigned int position; /* that the next argument gets */
	unsigned int floats;   /* registers for those that are taken */
	bool has_stack;        /* one lies on the stack that is not counted as a position */
	bool is_cxx;
	bool is_lost; /* where arguments lie from here on is not known */
};

/* ---- types ---- */

/* The type that DIE says it has, without names and qualifiers. False: none (void), or nonsense. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;

	if (!dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), ret))
		return false;
	for (int i = 0; i < TYPE_DEPTH_MAX; i++) {
		switch (dwarf_tag(ret)) {
		case DW_TAG_typedef:
		case DW_TAG_const_type:
		case DW_TAG_volatile_type:
		case DW_TAG_restrict_type:
		case DW_TAG_atomic_type: {
			Dwarf_Die outer = *ret;

			if (!dwarf_formref_die(dwarf_attr(&outer, DW_AT_type, &attribute), ret))
				return false;
			break;
		}
		default:
			return true;
		}
	}
	return false;
}

static uint64_t number_of(Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	return dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &value) == 0
		       ? value
		       : otherwise;
}

static bool is_pointer(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);

	return tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type ||
	       tag == DW_TAG_rvalue_reference_type;
}

static bool is_structure(Dwarf_Die *type)
{
	int tag = dwarf_tag(type);

	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type || tag == DW_TAG_union_type;
}

static bool is_float(Dwarf_Die *type)
{
	return dwarf_tag(type) == DW_TAG_base_type &&
	       number_of(type, DW_AT_encoding, 0) == DW_ATE_float;
}

static bool is_number(Dwarf_Die *type)
{
	uint64_t encoding = number_of(type, DW_AT_encoding, 0);

	if (dwarf_tag(type) == DW_TAG_enumeration_type)
		return true;
	return dwarf_tag(type) == DW_TAG_base_type &&
	       (encoding == DW_ATE_boolean || encoding == DW_ATE_signed ||
		encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned ||
		encoding == DW_ATE_unsigned_char || encoding == DW_ATE_UTF);
}

static bool is_signed(Dwarf_Die *type)
{
	uint64_t encoding = number_of(type, DW_AT_encoding, DW_ATE_signed);

	return encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
}

/* A pointer to char: to a text, mostly. */
static bool is_text(Dwarf_Die *type)
{
	Dwarf_Die target;

	return dwarf_tag(type) == DW_TAG_pointer_type && type_of(type, &target) &&
	       dwarf_tag(&target) == DW_TAG_base_type &&
	       number_of(&target, DW_AT_encoding, 0) == DW_ATE_signed_char;
}

/* Does its class say that it is passed by its address? C++ with constructors of its own does. */
static bool is_by_reference(Dwarf_Die *type)
{
	return is_structure(type) &&
	       number_of(type, DW_AT_calling_convention, 0) == DW_CC_pass_by_reference;
}

/* Has a structure, or what it consists of, functions of its own? One of them may be a constructor.
 */
static bool has_functions(Dwarf_Die *type, int depth)
{
	Dwarf_Die child, inner;

	if (depth > TYPE_DEPTH_MAX)
		return true;
	if (!is_structure(type) || dwarf_child(type, &child) != 0)
		return false;
	do {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_subprogram)
			return true;
		if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) &&
		    type_of(&child, &inner) && has_functions(&inner, depth + 1))
			return true;
	} while (dwarf_siblingof(&child, &child) == 0);
	return false;
}

/* In C++ constructors decide where it is passed. clang says where, gcc does not. */
static bool is_mysterious(const struct walk *walk, Dwarf_Die *type)
{
	return walk->is_cxx && is_structure(type) &&
	       !dwarf_hasattr(type, DW_AT_calling_convention) && has_functions(type, 0);
}

/* ---- structures ---- */

static void add_class(enum word_class words[WORDS_MAX], uint64_t offset, uint64_t bytes,
		      enum word_class add)
{
	for (uint64_t i = offset / WORD_BYTES; i < WORDS_MAX && i * WORD_BYTES < offset + bytes;
	     i++) {
		if (words[i] == WORD_NOTHING || (add != WORD_FLOAT && words[i] != WORD_UNKNOWN))
			words[i] = add;
	}
}

static void classify(Dwarf_Die *type, uint64_t offset, int depth, enum word_class words[WORDS_MAX]);

static void classify_members(Dwarf_Die *type, uint64_t offset, int depth,
			     enum word_class words[WORDS_MAX])
{
	Dwarf_Die member, member_type;
	int seen = 0;

	if (dwarf_child(type, &member) != 0)
		return;
	do {
		int tag = dwarf_tag(&member);
		uint64_t at;

		if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) ||
		    dwarf_hasattr(&member, DW_AT_external) ||
		    number_of(&member, DW_AT_declaration, 0))
			continue;
		at = offset + number_of(&member, DW_AT_data_member_location, 0);
		if (dwarf_hasattr(&member, DW_AT_data_bit_offset))
			at = offset + number_of(&member, DW_AT_data_bit_offset, 0) / 8;
		if (seen++ >= MEMBERS_MAX || !type_of(&member, &member_type))
			words[0] = WORD_UNKNOWN;
		else
			classify(&member_type, at, depth + 1, words);
	} while (dwarf_siblingof(&member, &member) == 0);
}

static void classify_array(Dwarf_Die *type, uint64_t offset, int depth,
			   enum word_class words[WORDS_MAX])
{
	Dwarf_Word bytes, element_bytes;
	Dwarf_Die element;

	if (!type_of(type, &element) || dwarf_aggregate_size(type, &bytes) ||
	    dwarf_aggregate_size(&element, &element_bytes) || element_bytes == 0 ||
	    bytes / element_bytes > ARRAY_LENGTH_MAX) {
		words[0] = WORD_UNKNOWN;
		return;
	}
	for (uint64_t at = 0; at < bytes; at += element_bytes)
		classify(&element, offset + at, depth + 1, words);
}

/* Which classes the words of a value have, as far as it lies in the first two. */
static void classify(Dwarf_Die *type, uint64_t offset, int depth, enum word_class words[WORDS_MAX])
{
	uint64_t bytes = number_of(type, DW_AT_byte_size, WORD_BYTES);

	if (depth > TYPE_DEPTH_MAX)
		words[0] = WORD_UNKNOWN;
	else if (is_pointer(type) || is_number(type))
		add_class(words, offset, bytes, WORD_INTEGER);
	else if (is_float(type) && bytes <= WORD_BYTES)
		add_class(words, offset, bytes, WORD_FLOAT);
	else if (is_structure(type))
		classify_members(type, offset, depth, words);
	else if (dwarf_tag(type) == DW_TAG_array_type)
		classify_array(type, offset, depth, words);
	else
		words[0] = WORD_UNKNOWN;
}

/* ---- parameters ---- */

static struct message_parameter *add_pointer(struct walk *walk, const char *name,
					     unsigned int position)
{
	struct message_parameter *found = &walk->found[walk->count];

	if (walk->count >= MESSAGE_PARAMETERS_MAX)
		return NULL;
	memset(found, 0, sizeof(*found));
	snprintf(found->name, sizeof(found->name), "%s", name ? name : "");
	found->position = (uint8_t)position;
	found->size_bytes = WORD_BYTES;
	found->type = PARAMETER_POINTER;
	walk->count++;
	return found;
}

static void add(struct walk *walk, const char *name, Dwarf_Die *type, unsigned int position)
{
	struct message_parameter *found = add_pointer(walk, name, position);
	uint64_t bytes = number_of(type, DW_AT_byte_size, is_pointer(type) ? WORD_BYTES : 4);

	if (!found)
		return;
	found->size_bytes = bytes && bytes < WORD_BYTES ? (uint8_t)bytes : WORD_BYTES;
	if (is_text(type))
		found->type = PARAMETER_TEXT;
	else if (is_number(type))
		found->type = is_signed(type) ? PARAMETER_SIGNED : PARAMETER_UNSIGNED;
}

/* A structure takes registers, is on the stack, or is passed by its address. */
static void take_structure(struct walk *walk, Dwarf_Die *type, const char *name)
{
	enum word_class words[WORDS_MAX] = {WORD_NOTHING, WORD_NOTHING};
	uint64_t bytes = number_of(type, DW_AT_byte_size, UINT64_MAX);
	unsigned int integers = 0;

	if (is_by_reference(type)) {
		add_pointer(walk, name, walk->position++);
		return;
	}
	if (bytes > WORDS_MAX * WORD_BYTES) {
		/* on the stack: those in registers are not moved by it, others are */
		walk->is_lost |= bytes == UINT64_MAX || walk->position > REGISTERS;
		walk->has_stack = true;
		return;
	}
	classify(type, 0, 0, words);
	for (int i = 0; i < WORDS_MAX; i++) {
		integers += words[i] == WORD_INTEGER;
		walk->floats += words[i] == WORD_FLOAT;
		walk->is_lost |= words[i] == WORD_UNKNOWN;
	}
	/* it is not split between registers and stack */
	walk->is_lost |= walk->position + integers > REGISTERS + 1;
	walk->position += integers;
}

static void take_parameter(struct walk *walk, Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attribute));
	uint64_t bytes;
	Dwarf_Die type;

	if (!type_of(die, &type) || is_mysterious(walk, &type)) {
		walk->is_lost = true;
		return;
	}
	bytes = number_of(&type, DW_AT_byte_size, is_pointer(&type) ? WORD_BYTES : UINT64_MAX);
	if (is_structure(&type))
		take_structure(walk, &type, name);
	else if (is_float(&type) && bytes <= WORD_BYTES)
		walk->floats++;
	else if ((is_pointer(&type) || is_number(&type)) && bytes <= WORD_BYTES)
		add(walk, name, &type, walk->position++);
	else
		walk->is_lost = true;
	walk->has_stack |= walk->floats > FLOAT_REGISTERS;
	/* where those behind it lie on the stack would have to be counted */
	walk->is_lost |= walk->has_stack && walk->position > REGISTERS;
}

static void take_parameters(struct walk *walk, Dwarf_Die *function)
{
	Dwarf_Die child;

	if (dwarf_child(function, &child) != 0)
		return;
	do {
		if (dwarf_tag(&child) == DW_TAG_formal_parameter)
			take_parameter(walk, &child);
	} while (!walk->is_lost && dwarf_siblingof(&child, &child) == 0);
}

/* What is returned in memory takes the first register, for its address. */
static bool is_returned_in_memory(Dwarf_Die *type)
{
	return is_structure(type) &&
	       (is_by_reference(type) ||
		number_of(type, DW_AT_byte_size, UINT64_MAX) > WORDS_MAX * WORD_BYTES);
}

/* ---- the function ---- */

static bool is_cxx(Dwarf_Die *unit)
{
	int language = dwarf_srclang(unit);

	return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
	       language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14;
}

static bool is_c(Dwarf_Die *unit)
{
	int language = dwarf_srclang(unit);

	return language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 ||
	       language == DW_LANG_C11;
}

/* Optimisers give functions that only their own file calls another way to be called, and say so. */
static bool keeps_to_the_abi(Dwarf_Die *unit, Dwarf_Die *function)
{
	return (is_c(unit) || is_cxx(unit)) &&
	       number_of(function, DW_AT_calling_convention, DW_CC_normal) == DW_CC_normal;
}

static bool begins_at(Dwarf_Die *function, Dwarf_Addr address)
{
	Dwarf_Addr start;

	return dwarf_entrypc(function, &start) == 0 && start == address;
}

struct wanted_function {
	Dwarf_Addr address;
	Dwarf_Die *found;
	bool is_found;
};

static int look_at_function(Dwarf_Die *function, void *context)
{
	struct wanted_function *wanted = context;

	if (!begins_at(function, wanted->address))
		return DWARF_CB_OK;
	*wanted->found = *function;
	wanted->is_found = true;
	return DWARF_CB_ABORT;
}

/* The function that begins at ADDRESS. What clang puts into a namespace has no scopes for libdw: it
 * takes a look at all of the unit. */
static bool find_function(Dwarf *dwarf, Dwarf_Addr address, Dwarf_Die *unit, Dwarf_Die *ret)
{
	struct wanted_function wanted = {.address = address, .found = ret};
	_cleanup_free_ Dwarf_Die *scopes = NULL;
	Dwarf_Die memory, *found = source_find_unit(dwarf, address, &memory);
	int count;

	if (!found)
		return false;
	*unit = *found;
	count = source_find_scopes(unit, address, &scopes);
	for (int i = 0; i < count; i++) {
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram && begins_at(&scopes[i], address)) {
			*ret = scopes[i];
			return true;
		}
	}
	dwarf_getfuncs(unit, look_at_function, &wanted, 0);
	return wanted.is_found;
}

/* Where the code of a function says too little (parameters that were optimised away), the function
 * in the abstract says all. */
static void go_to_origin(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	Dwarf_Die origin;

	if (dwarf_formref_die(dwarf_attr(function, DW_AT_abstract_origin, &attribute), &origin))
		*function = origin;
}

unsigned int parameters_find(struct Dwarf *dwarf, uint64_t address,
			     struct message_parameter ret[MESSAGE_PARAMETERS_MAX])
{
	struct walk walk = {.found = ret, .position = 1};
	Dwarf_Die unit, function, type;
	bool has_result;

	if (!dwarf || !find_function(dwarf, address, &unit, &function) ||
	    !keeps_to_the_abi(&unit, &function))
		return 0;
	go_to_origin(&function);
	walk.is_cxx = is_cxx(&unit);
	has_result = type_of(&function, &type);
	if (has_result && is_mysterious(&walk, &type))
		return 0;
	if (has_result && is_returned_in_memory(&type))
		walk.position++;
	take_parameters(&walk, &function);
	if (has_result && (is_pointer(&type) || is_number(&type))) {
		if (walk.count == MESSAGE_PARAMETERS_MAX)
			walk.count--;
		add(&walk, "ret", &type, 0);
	}
	return walk.count;
}
