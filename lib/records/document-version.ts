/** The version of every JSON document that is printed or sent. */

/** Raised when a field changes its meaning. */
export const jsonSchemaVersion = 1;
