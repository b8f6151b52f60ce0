/** How a script begins its refusal when its user may not run the commands that follow, apart by spaces. */
export const DENIED = 'NOPERM the user may not run';
