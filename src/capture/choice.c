/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/error.h"
#include "base/memory.h"
#include "capture/internal.h"

static const enum hook_id evidence_hooks[EVIDENCE_HOOKS] = {
	[EVIDENCE_KICK] = HOOK_KICK,
	[EVIDENCE_EXIT_TP] = HOOK_SCHED_EXIT,
	[EVIDENCE_KPROBE] = HOOK_FINISH_SWITCH,
	[EVIDENCE_DEGRADED] = HOOK_SWITCH,
};

/* The kick is the cheapest unless every wait is wanted: then the program call at each switch is. */
static enum evidence_hook choose_evidence(const struct capture *capture, int wanted)
{
	static const enum evidence_hook seldom[] = {EVIDENCE_KICK, EVIDENCE_EXIT_TP,
						    EVIDENCE_KPROBE};
	static const enum evidence_hook often[] = {EVIDENCE_EXIT_TP, EVIDENCE_KICK,
						   EVIDENCE_KPROBE};
	const enum evidence_hook *order = capture->settings.min_wait_ns ? seldom : often;

	if (wanted >= 0 && capture->states[evidence_hooks[wanted]].works)
		return (enum evidence_hook)wanted;
	if (wanted >= 0)
		warn("evidence is taken another way: %s %s", hooks[evidence_hooks[wanted]].name,
		     capture->states[evidence_hooks[wanted]].error == -EVENT_HOOK_LEFT_OUT
			     ? "was left out"
			     : "does not work on this kernel");
	for (size_t i = 0; i < ARRAY_SIZE(seldom); i++) {
		if (capture->states[evidence_hooks[order[i]]].works)
			return order[i];
	}
	return EVIDENCE_DEGRADED;
}

bool choice_is_observed(const struct capture *capture, enum hook_id id)
{
	return probes[hooks[id].probe].mode == PROBE_ALWAYS ||
	       capture->probes & PROBE_BIT(hooks[id].probe);
}

/* It works, and so does the hook that ends what it begins. */
static bool is_whole(const struct capture *capture, enum hook_id id)
{
	enum hook_id end = hook_end(id);

	return capture->states[id].works && (end == HOOK_COUNT || capture->states[end].works);
}

bool choice_is_used(const struct capture *capture, enum hook_id id)
{
	if (!is_whole(capture, id))
		return false;
	if (hook_is_evidence(id))
		return evidence_hooks[capture->settings.evidence_hook] == id;
	if (id == HOOK_SAMPLE && !capture->settings.sample_period_ns)
		return false;
	if (id == HOOK_DISK_INSERT && hook_has_stand_in(id, capture->states))
		return false;
	return choice_is_observed(capture, id);
}

enum event_hook_status choice_status(const struct capture *capture, enum hook_id id)
{
	if (is_whole(capture, id))
		return EVENT_HOOK_WORKS;
	if (hook_is_evidence(id) && capture->settings.evidence_hook == EVIDENCE_DEGRADED)
		return EVENT_HOOK_MISSING;
	return hook_has_stand_in(id, capture->states) ? EVENT_HOOK_FALLBACK : EVENT_HOOK_MISSING;
}

int choice_error(const struct capture *capture, enum hook_id id)
{
	return capture->states[id].works && !is_whole(capture, id)
		       ? capture->states[hook_end(id)].error
		       : capture->states[id].error;
}

int choice_try(struct capture *capture, uint64_t left_out)
{
	hooks_try(capture->states, false, &capture->has_prev_state_arg);
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (left_out & HOOK_BIT(id))
			capture->states[id] = (struct hook_state){.error = -EVENT_HOOK_LEFT_OUT};
		if (hooks[id].is_required && !capture->states[id].works)
			return fail_errno(capture->states[id].error,
					  "%s, which every recording needs, is refused: %s",
					  hooks[id].name, hooks[id].mend);
	}
	return 0;
}

enum function_engine choice_function_engine(const struct capture *capture)
{
	if (choice_is_used(capture, HOOK_FUNCTION_SESSION))
		return FUNCTION_ENGINE_SESSION;
	return choice_is_used(capture, HOOK_FUNCTION_MULTI) ? FUNCTION_ENGINE_MULTI
							    : FUNCTION_ENGINE_EVENTS;
}

enum hook_id choice_evidence_hook(const struct capture *capture)
{
	return evidence_hooks[capture->settings.evidence_hook];
}

/* Whether an interrupt is at work can be told only if all are seen that wake threads for others. */
static bool knows_irqs(const struct capture *capture)
{
	return choice_is_used(capture, HOOK_IRQ_ENTRY) &&
	       choice_is_used(capture, HOOK_SOFTIRQ_ENTRY);
}

static bool is_any_used(const struct capture *capture, enum probe_id probe)
{
	for (enum hook_id id = 0; id < HOOK_COUNT; id++) {
		if (hooks[id].probe == probe && choice_is_used(capture, id))
			return true;
	}
	return false;
}

void choice_make(struct capture *capture, int wanted)
{
	capture->settings.has_prev_state_arg = capture->has_prev_state_arg;
	capture->settings.evidence_hook = choose_evidence(capture, wanted);
	capture->settings.knows_irqs = knows_irqs(capture);
	capture->settings.tcp_states = is_any_used(capture, PROBE_TCP);
	capture->functions.probes.engine = choice_function_engine(capture);
	capture->settings.has_sessions =
		capture->functions.probes.engine == FUNCTION_ENGINE_SESSION;
}
