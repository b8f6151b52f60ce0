/**
 * Part of the page's script: the moments at which something was done to the service, as lines with words over each chart over time. They are
 * elements and no drawing, so that they can be read, searched and printed.
 */
export const MARK_SCRIPT = `
  /** Words of marks that are closer together than this would lie on one another: they share a line of words. */
  const MARK_APART = 14;

  const placeMarks = (plot) => {
    for (const old of plot.over.querySelectorAll('.fault')) old.remove();
    let words = null;
    for (const { from, until, label } of marks) {
      const left = plot.valToPos(from, 'x');
      const fault = document.createElement('div');
      fault.className = 'fault';
      fault.style.left = left + 'px';
      fault.style.width = Math.max(0, plot.valToPos(until, 'x') - left) + 'px';
      plot.over.append(fault);
      if (words && left - words.left < MARK_APART) {
        words.labels.push(label);
        words.span.textContent = words.labels.map((one) => one.split(',')[0]).join(', ');
        continue;
      }
      const span = document.createElement('span');
      span.textContent = label;
      // At the right end there is no room beyond the line.
      if (left > plot.over.clientWidth - MARK_APART) span.className = 'before';
      fault.append(span);
      words = { left, labels: [label], span };
    }
  };
`;
