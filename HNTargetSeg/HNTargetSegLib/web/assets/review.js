// What the page does by itself: keys become actions of the server, files are sent, text is copied.
(function () {
  "use strict";
  const typing = (element) =>
    element && (element.isContentEditable || /^(input|textarea|select)$/i.test(element.tagName)) &&
    !/^(range|checkbox|radio|button)$/i.test(element.type || "");

  window.addEventListener("keydown", function (event) {
    if (!window.trame || typing(event.target) || event.altKey || event.metaKey) { return; }
    if (window.trame.state.get("busy")) { return; }
    const open = window.trame.state.get("dialog");
    if (open && event.key !== "Escape") { return; }
    const name = (event.ctrlKey ? "ctrl+" : "") + (event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const known = window.trame.state.get("key_names") || [];
    if (!known.includes(name)) { return; }
    // Arrows would also move a slider that has the focus, or a list.
    event.preventDefault();
    event.stopPropagation();
    window.trame.trigger("press_key", [name]);
  }, true);

  // The wheel: steps that come while the server is at work are sent together, so that it never falls behind.
  const wheels = {};
  const sendWheel = async function (name) {
    const wheel = wheels[name];
    wheel.sending = true;
    while (wheel.steps) {
      const steps = wheel.steps;
      wheel.steps = 0;
      try { await window.trame.trigger("turn_wheel", [name, steps]); } catch (_) { wheel.steps = 0; }
    }
    wheel.sending = false;
  };
  document.addEventListener("wheel", function (event) {
    const tile = event.target.closest && event.target.closest("[data-view]");
    // With Ctrl the wheel is Slicer's: zoom, as in the 3D view.
    if (!tile || tile.dataset.view === "3d" || event.ctrlKey || !window.trame) { return; }
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) {
      // Browsers turn the wheel with Shift into one to the side.
      const turned = event.deltaY || event.deltaX;
      if (turned && window.trame.state.get("tool")) { window.trame.trigger("grow_brush", [turned < 0 ? 1.15 : 1 / 1.15]); }
      return;
    }
    const wheel = wheels[tile.dataset.view] = wheels[tile.dataset.view] || { steps: 0, rest: 0, sending: false };
    const lines = event.deltaMode === 0 ? event.deltaY / 100 : event.deltaY / 3;
    if (Math.abs(lines) >= 0.5) {
      wheel.rest = 0;
      wheel.steps -= Math.sign(lines) * Math.max(1, Math.round(Math.abs(lines)));
    } else {
      // A touchpad sends many small movements.
      wheel.rest += lines;
      if (Math.abs(wheel.rest) < 0.3) { return; }
      wheel.steps -= Math.sign(wheel.rest);
      wheel.rest = 0;
    }
    if (!wheel.sending) { sendWheel(tile.dataset.view); }
  }, { capture: true, passive: false });

  window.hntargetsegSend = async function (event, trigger) {
    const files = Array.from(event.target.files || []);
    if (!files.length) { return; }
    window.trame.state.set("busy", "Sending " + files.length + (files.length > 1 ? " files ..." : " file ..."));
    const answer = await window.hntargetsegUpload(files, function (share) {
      window.trame.state.set("busy", "Sending the files: " + Math.round(100 * share) + " %");
    });
    event.target.value = "";
    if (answer.error) {
      window.trame.state.set("busy", "");
      trigger("upload_failed", [answer.error.message, answer.error.remedy || "", answer.error.path || ""]);
    }
  };

  window.hntargetsegSelect = function (field) {
    // Vue writes the text after this.
    setTimeout(function () { field.focus(); field.select(); });
  };

  window.hntargetsegCopy = function (text) {
    if (navigator.clipboard) { navigator.clipboard.writeText(text); return; }
    // Without TLS a browser has no clipboard for pages of other machines.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.appendChild(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  };
})();
