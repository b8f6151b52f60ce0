/**
 * What the dashboard does: asks for the view once an interval, and writes it into the page. Text of other programs only ever becomes text
 * nodes, so no name is markup. Rows are kept by id, so that a reader, a selection and a screen reader stay where they are.
 */
export const SCRIPT = `
'use strict';
const $ = (id) => document.getElementById(id);
const INTERVAL = Number(document.body.dataset.interval);
const SVG = 'http://www.w3.org/2000/svg';
const BAD = ['suspect', 'missing_in_redis', 'missing_in_ledger', 'wrong_type', 'server_away', 'seeding', 'resetting', 'other_key_style'];
const OVER = ['ended', 'closed', 'sold_out'];
const kindOf = (state) => state === 'open' ? 'open' : BAD.includes(state) ? 'bad' : OVER.includes(state) ? 'over' : 'warn';
const words = (state) => state.replaceAll('_', ' ');
const number = (value) => value === null ? '–' : value.toLocaleString('en-US');
const rate = (value) => value === null ? '–' : number(value === 0 || value >= 10 ? Math.round(value) : value);
const duration = (ms) => {
  if (ms === null) return '–';
  const seconds = Math.floor(ms / 1000);
  const parts = [[Math.floor(seconds / 86400), 'd'], [Math.floor(seconds / 3600) % 24, 'h'], [Math.floor(seconds / 60) % 60, 'min'], [seconds % 60, 's']];
  const first = parts.findIndex(([count]) => count > 0);
  return first < 0 ? '0 s' : parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => count + ' ' + unit).join(' ');
};
const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

/** A break in the line where a value is not known. */
function path(values) {
  const shown = values.slice(-60);
  const most = Math.max(1, ...shown.map((value) => value ?? 0));
  let pen = 'M';
  return shown.map((value, i) => {
    if (value === null) { pen = 'M'; return ''; }
    const at = pen + ((60 - shown.length + i) * 96 / 59).toFixed(1) + ' ' + (21 - value / most * 20).toFixed(1);
    pen = 'L';
    return at;
  }).join('');
}

function line(kind) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'line ' + kind);
  svg.setAttribute('viewBox', '0 0 96 22');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(SVG, 'path'));
  return svg;
}

/** The rows of a table by key: made, moved and removed as needed. */
function rows(body, items, keyOf, make, fill) {
  const kept = new Map([...body.children].map((row) => [row.dataset.key, row]));
  items.forEach((item, i) => {
    const key = keyOf(item);
    const row = kept.get(key) ?? make(item);
    row.dataset.key = key;
    kept.delete(key);
    if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
    fill(row, item);
  });
  for (const row of kept.values()) row.remove();
}

/** For narrow screens a table is laid out as cards, which takes its roles away in some browsers. */
function row(labels, body) {
  const tr = document.createElement('tr');
  tr.setAttribute('role', 'row');
  labels.forEach((label, i) => {
    const cell = document.createElement(i === 0 ? 'th' : 'td');
    if (i === 0) cell.scope = 'row';
    cell.setAttribute('role', i === 0 ? 'rowheader' : 'cell');
    cell.dataset.label = label;
    if (body.left.includes(i)) cell.className = 'left';
    cell.append(document.createElement('span'));
    tr.append(cell);
  });
  return tr;
}

const COUPON = ['Coupon', 'State', 'Stock', 'Waiting', 'Held', 'Oldest', 'Accepted/s', 'Issued/s', 'Time left'];
function couponRow() {
  const tr = row(COUPON, { left: [0, 1] });
  const name = document.createElement('span');
  name.className = 'name';
  tr.children[0].append(name);
  tr.children[6].append(line('accepted'));
  tr.children[7].append(line('issued'));
  return tr;
}
function fillCoupon(tr, coupon) {
  const cells = [coupon.couponId, words(coupon.state), number(coupon.stock), number(coupon.waiting), number(coupon.claimed),
    coupon.oldestWaitingMs === null && coupon.waiting > 0 ? '?' : duration(coupon.oldestWaitingMs),
    rate(coupon.acceptedPerSecond), rate(coupon.issuedPerSecond),
    coupon.timeLeftMs === null ? 'never' : coupon.timeLeftMs === 0 ? '–' : duration(coupon.timeLeftMs)];
  cells.forEach((text, i) => put(tr.children[i].firstChild, text));
  put(tr.children[0].lastChild, coupon.name);
  tr.children[1].firstChild.className = 'state ' + kindOf(coupon.state);
  tr.children[6].lastChild.firstChild.setAttribute('d', path(coupon.history.accepted));
  tr.children[7].lastChild.firstChild.setAttribute('d', path(coupon.history.issued));
}

const WORKER = ['Worker', 'Holds', 'Lease', 'Last issued', 'Coupons'];
function fillWorker(tr, worker) {
  const lease = worker.leaseLeftMs === null ? '–' : worker.leaseLeftMs < 0 ? 'over for ' + duration(-worker.leaseLeftMs) : duration(worker.leaseLeftMs);
  const issued = worker.lastIssuedMs === null ? '–' : duration(worker.lastIssuedMs) + ' ago';
  [worker.worker || 'without a name', number(worker.users), lease, issued, worker.coupons.join(' ') || '–']
    .forEach((text, i) => put(tr.children[i].firstChild, text));
}

function warningItem() {
  const li = document.createElement('li');
  const fix = document.createElement('span');
  fix.className = 'fix';
  li.append(document.createElement('span'), fix);
  return li;
}

function away(stores) {
  return [['Redis', stores.redis], ['PostgreSQL', stores.ledger]].filter(([, store]) => !store.up).map(([name, store]) =>
    name + ' is away' + (store.silentMs === null ? '' : ', its figures are of ' + duration(store.silentMs) + ' ago') + ': ' + store.problem);
}

let last = null;
function show(view) {
  last = view;
  const { totals } = view;
  put($('at'), view.at.slice(0, 19).replace('T', ' ') + ' UTC');
  put($('t-coupons'), number(totals.coupons));
  put($('t-waiting'), number(totals.waiting));
  put($('t-held'), number(totals.claimed));
  put($('t-accepted'), rate(totals.acceptedPerSecond));
  put($('t-issued'), rate(totals.issuedPerSecond));
  tell(away(view.stores));
  const states = [...new Set(view.coupons.map((coupon) => coupon.state))].sort();
  const chosen = $('state').value;
  rows($('state'), ['', ...states.concat(chosen && !states.includes(chosen) ? [chosen] : [])], (state) => state, () => document.createElement('option'),
    (option, state) => { option.value = state; put(option, state === '' ? 'all' : words(state)); });
  const shown = view.coupons.filter((coupon) => chosen === '' || coupon.state === chosen);
  rows($('coupons'), shown, (coupon) => coupon.couponId, couponRow, fillCoupon);
  $('none').hidden = shown.length > 0;
  put($('none'), view.coupons.length === 0 ? 'No coupons yet.' : 'No coupon is in this state.');
  $('worker-table').hidden = view.workers.length === 0;
  rows($('workers'), view.workers, (worker) => worker.worker, () => row(WORKER, { left: [0, 4] }), fillWorker);
  $('warned').hidden = view.warnings.length === 0;
  rows($('warnings'), view.warnings, (one) => [one.couponId, one.code, one.code === 'lease_over' ? one.text : ''].join(' '), warningItem, (li, one) => {
    put(li.firstChild, (one.couponId === null ? '' : one.couponId + ': ') + one.text);
    put(li.lastChild, one.fix);
  });
}

function tell(lines) {
  put($('away'), lines.join('\\n'));
  $('away').hidden = lines.length === 0;
}

async function look() {
  try {
    const response = await fetch('view.json', { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (!response.ok) throw new Error('status ' + response.status);
    show(await response.json());
  } catch (error) {
    tell(['The dashboard does not answer; is coupon-cli dashboard still running?']);
  }
  setTimeout(look, INTERVAL);
}
$('state').addEventListener('change', () => last && show(last));
look();
`;
