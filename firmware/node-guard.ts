/** Imported before anything else: the database's native code crashes on a Node that is too old, without a word. */
if (Number(process.versions.napi) < 10) {
  process.stderr.write(
    `NODE_UNFIT: Hearth needs Node 22.22 or 24.15 and later, this is ${process.version}. ` +
      'Run it through npm (npm run hearth -- …): the right one is installed with the packages.\n',
  );
  process.exit(1);
}
