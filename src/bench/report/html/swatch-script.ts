/**
 * Part of the page's script: what stands before a name in a legend, drawn as the series itself is. Areas are hatched on paper, where
 * grey is all that may be left of their colours; lines have dashes everywhere.
 */
export const SWATCH_SCRIPT = `
  /** Strokes within a tile of 8 by 8, as x, y, x, y; those of slanting lines go on over its corners. */
  const HATCHES = [
    [],
    [[0, 8, 8, 0], [-1, 1, 1, -1], [7, 9, 9, 7]],
    [[4, 0, 4, 8]],
    [[0, 0, 8, 8], [-1, 7, 1, 9], [7, -1, 9, 1]],
    [[0, 4, 8, 4]],
    [[4, 0, 4, 8], [0, 4, 8, 4]],
    [[0, 8, 8, 0], [0, 0, 8, 8]],
  ];

  const areaOf = (colour, at) => {
    if (!paper) return colour + 'd0';
    const tile = document.createElement('canvas');
    const size = 8 * devicePixelRatio;
    tile.width = tile.height = size;
    const pen = tile.getContext('2d');
    pen.fillStyle = colour;
    pen.fillRect(0, 0, size, size);
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.strokeStyle = '#fff';
    // Beyond seven areas the hatches come again, heavier.
    pen.lineWidth = at < HATCHES.length ? 1.5 : 4;
    for (const [fromX, fromY, toX, toY] of HATCHES[at % HATCHES.length]) {
      pen.beginPath();
      pen.moveTo(fromX, fromY);
      pen.lineTo(toX, toY);
      pen.stroke();
    }
    return pen.createPattern(tile, 'repeat');
  };

  const addSwatches = (plot, { stacked, series }) => {
    const markers = plot.root.querySelectorAll('.u-series:not(:first-child) .u-marker');
    series.forEach(({ colour, dash, width }, at) => {
      const swatch = document.createElement('canvas');
      swatch.width = 28 * devicePixelRatio;
      swatch.height = 10 * devicePixelRatio;
      const pen = swatch.getContext('2d');
      if (stacked) {
        pen.fillStyle = areaOf(css(colour), at);
        pen.fillRect(0, 0, swatch.width, swatch.height);
      } else {
        pen.scale(devicePixelRatio, devicePixelRatio);
        pen.strokeStyle = css(colour);
        pen.lineWidth = width;
        pen.setLineDash(dash);
        pen.beginPath();
        pen.moveTo(0, 5);
        pen.lineTo(28, 5);
        pen.stroke();
      }
      markers[at].append(swatch);
    });
  };
`;
