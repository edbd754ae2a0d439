/* class.h - what a certificate is to the schedule: whose turn comes when, and how much notice it needs.
 *
 * The order of the list is the order of turns (design section 4): risk first, then what nobody would miss,
 * then the rest by how hard a change is for its subscriber. A contacts file names the class of a subscriber;
 * replaced, orphan and unreachable are found out; of all that fit, the earliest turn counts. Pure. Does not:
 * find out, or plan. Called by: store (material of a plan), planner, profiles. */
#ifndef MASSREVOKE_CLASS_H
#define MASSREVOKE_CLASS_H

#include "massrevoke/text.h"

enum plan_class {
    CLASS_RISKIEST,    /* its continued use does harm */
    CLASS_REPLACED,    /* its subscriber has another one in its place */
    CLASS_UNUSED,      /* seen in use nowhere */
    CLASS_ORPHAN,      /* never delivered, or known to no inventory */
    CLASS_UNREACHABLE, /* nobody can be told: waiting helps nobody */
    CLASS_AUTOMATED,   /* its subscriber's client renews by itself (ACME, ARI) */
    CLASS_IN_USE,      /* the rest; what an empty or unknown word means */
    CLASS_CRITICAL,    /* an outage would hurt third parties: the longest notice */
    CLASS_COUNT
};

/* "riskiest", "replaced", ..., "in_use", "critical"; static. */
const char *class_name(enum plan_class c);

/* Reverse of class_name; CLASS_COUNT when there is none. */
enum plan_class class_from_name(struct str name);

#endif
