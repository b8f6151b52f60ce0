let turn: Promise<void> | null = null;

/**
 * Resolves when all sockets of this turn of the event loop were read; the same promise for all who ask in one turn. Replies that are
 * written one after the other wake their reader once, not once each.
 */
export function endOfTurn(): Promise<void> {
  turn ??= new Promise((resolve) =>
    setImmediate(() => {
      turn = null;
      resolve();
    }),
  );
  return turn;
}
