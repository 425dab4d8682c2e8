// Shows what was seen last while there is no network; keeps nothing but the looks.
const cacheName = "cvd-1";
const looks = ["/static/style.css", "/static/app.js", "/static/icon.svg"];

self.addEventListener("install", (event) => event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(looks))));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(() => caches.match(event.request).then((kept) => kept ?? Response.error())));
});
