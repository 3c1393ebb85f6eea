import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures/server.js';

const side = (page: Page, user: string): Locator => page.getByRole('region', { name: `${user}’s device` });
const list = (page: Page, user: string): Locator => side(page, user).getByRole('article');
const log = (page: Page): Locator => page.getByRole('log');

async function send(page: Page, from: string, heading: string): Promise<void> {
  await side(page, from).getByLabel('Heading').fill(heading);
  await side(page, from).getByLabel('Text').fill('Some text');
  await side(page, from).getByRole('button', { name: 'Send' }).click();
}

async function isLive(page: Page, user: string): Promise<void> {
  await expect(side(page, user).getByText('Live', { exact: true })).toBeVisible();
}

test('a sent notification arrives at once, with the count', async ({ open }) => {
  const page = await open('ada', 'bob');
  await isLive(page, 'ada');
  await expect(side(page, 'ada').getByText('You’re all caught up')).toBeVisible();
  await send(page, 'bob', 'Lunch');
  await expect(list(page, 'ada')).toHaveCount(1);
  await expect(list(page, 'ada')).toContainText('Lunch');
  await expect(side(page, 'ada').getByRole('button', { name: 'Notifications, 1 unread' })).toBeVisible();
  await expect(side(page, 'bob').getByRole('button', { name: 'Notifications', exact: true })).toBeVisible();
  await expect(log(page)).toContainText(/“Lunch” arrived at ada, \d+ ms after it was sent/);
  await expect(page.locator('.steps .done')).toHaveCount(1);
});

test('a device that comes back shows what it missed, in order', async ({ open }) => {
  const page = await open('ada', 'bob');
  await isLive(page, 'ada');
  await side(page, 'ada').getByRole('switch', { name: 'Online' }).uncheck();
  await expect(side(page, 'ada').getByText('Offline', { exact: true })).toBeVisible();
  for (const [index, heading] of ['One', 'Two', 'Three'].entries()) {
    await send(page, 'bob', heading);
    await expect(log(page).locator('p', { hasText: 'who is offline; the server has stored it' })).toHaveCount(index + 1);
  }
  await expect(list(page, 'ada')).toHaveCount(0);
  await side(page, 'ada').getByRole('switch', { name: 'Online' }).check();
  await expect(side(page, 'ada').locator('[part=heading]')).toHaveText(['Three', 'Two', 'One']);
  await expect(log(page)).toContainText(/ada is back\. 3 missed notifications arrived, \d+ ms after the switch/);
});

test('a notification opened in one tab is opened in the other', async ({ open, server }) => {
  for (const heading of ['One', 'Two']) {
    expect(await server.push('ada', { heading, content: 'x' })).toBe(201);
  }
  const [one, two] = [await open('ada', 'bob'), await open('ada')];
  await isLive(one, 'ada');
  await isLive(two, 'ada');
  await list(two, 'ada').filter({ hasText: 'One' }).click();
  await expect(side(one, 'ada').getByRole('button', { name: 'Notifications, 1 unread' })).toBeVisible();
  await expect(side(one, 'ada').locator('[part~=item-unopened]')).toHaveCount(1);
  await expect(log(one)).toContainText('opened something in another tab');
  await side(one, 'ada').getByRole('button', { name: 'Mark all as read' }).click();
  await expect(side(two, 'ada').locator('[part~=item-unopened]')).toHaveCount(0);
  await list(one, 'ada').first().press('Delete');
  await expect(list(two, 'ada')).toHaveCount(1);
});

test('the link opens a second tab of the same user', async ({ open }) => {
  const page = await open('ada', 'bob');
  const tab = page.context().waitForEvent('page');
  await side(page, 'ada').getByRole('link', { name: 'Open a second tab' }).click();
  await isLive(await tab, 'ada');
});

test('the page survives a crash of the server', async ({ open, server }) => {
  const page = await open('ada');
  await isLive(page, 'ada');
  await server.push('ada', { heading: 'Before', content: 'x' });
  await expect(list(page, 'ada')).toHaveCount(1);
  await server.stop();
  await expect(side(page, 'ada').getByText('Offline', { exact: true })).toBeVisible({ timeout: 15_000 });
  await expect(list(page, 'ada')).toHaveCount(1);
  await list(page, 'ada').press('Enter');
  await expect(side(page, 'ada').locator('[part~=item-unopened]')).toHaveCount(0);
  await server.start();
  await server.push('ada', { heading: 'After', content: 'x' });
  await expect(side(page, 'ada').locator('[part=heading]')).toHaveText(['After', 'Before'], { timeout: 20_000 });
  await expect(side(page, 'ada').getByRole('button', { name: 'Notifications, 1 unread' })).toBeVisible();
});

test('a hostile notification of the largest size does no harm', async ({ open, server }) => {
  const page = await open('ada');
  await isLive(page, 'ada');
  const markup = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
  const fields = { image_url: 'javascript:window.hacked=1', payload: { path: 'javascript:window.hacked=1' } };
  const buttons = [{ id: markup, text: `\u202e${markup}` }];
  expect(await server.push('ada', { heading: markup, content: `\u202e${markup}`, buttons, ...fields })).toBe(201);
  expect(await server.push('ada', { heading: 'Large', content: '\u202e\u0301W'.repeat(21_500), ...fields })).toBe(201);
  await expect(list(page, 'ada')).toHaveCount(2);
  await expect(side(page, 'ada').locator('[part=heading]').last()).toHaveText(markup);
  for (const article of await list(page, 'ada').all()) {
    await article.press('Enter');
  }
  await side(page, 'ada').locator('[part=action]').click();
  await expect(side(page, 'ada').locator('[part~=item-unopened]')).toHaveCount(0);
  await expect(side(page, 'ada').locator('img, script')).toHaveCount(0);
  expect(await page.evaluate(() => window.hacked)).toBeUndefined();
});

test('without a fragment there is a form to sign in, and a bad token is reported', async ({ page, server }) => {
  await page.goto(server.origin);
  await page.getByLabel('User id').fill('ada');
  await page.getByLabel('Token').fill(server.token('ada'));
  await page.keyboard.press('Enter');
  await isLive(page, 'ada');
  expect(page.url()).not.toContain('ey');
  await page.goto('about:blank');
  await page.goto(`${server.origin}/#user=ada:nonsense`);
  await expect(page.getByText('Notifications can’t be shown')).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing in the page, ${colorScheme}`, async ({ open, server }) => {
    const page = await open('ada', 'bob');
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await isLive(page, 'ada');
    await server.push('ada', { heading: 'Lunch', content: 'x' });
    await expect(list(page, 'ada')).toHaveCount(1);
    const scan = async (): Promise<string[]> =>
      (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
    expect(await scan()).toEqual([]);
    await page.goto('about:blank');
    await page.goto(server.origin);
    await expect(page.getByLabel('Token')).toBeVisible();
    expect(await scan()).toEqual([]);
  });
}
