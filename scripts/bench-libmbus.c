/*
 * libmbus on the telegrams of stdin (one in hexadecimal a line) for bench-mbus.ts: link frame, records, and for each
 * record its normalised value, unit and quantity. argv[1] is the time to spend in CPU seconds; with a second argument
 * the records are printed as XML, which is how its own tools give them. Prints telegrams, records of one round (with
 * XML: telegrams), telegrams that it reads, CPU seconds and the peak of resident memory in kB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "mbus/mbus-protocol-aux.h"
#include "mbus/mbus-protocol.h"

#define MAX_TELEGRAMS 4096

static unsigned char *telegrams[MAX_TELEGRAMS];
static size_t sizes[MAX_TELEGRAMS];

static double cpu_s(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int as_xml;

static size_t read_one(const unsigned char *bytes, size_t size) {
  static unsigned char copy[1024];
  mbus_frame frame;
  mbus_frame_data *data;
  size_t records = 0;
  memset(&frame, 0, sizeof frame);
  if (size > sizeof copy) return 0;
  memcpy(copy, bytes, size);
  if (mbus_parse(&frame, copy, size) != 0) return 0;
  data = mbus_frame_data_new();
  if (data == NULL) return 0;
  if (mbus_frame_data_parse(&frame, data) == 0) {
    if (as_xml) {
      char *xml = mbus_frame_data_xml_normalized(data);
      records = xml != NULL;
      free(xml);
    } else if (data->type == MBUS_DATA_TYPE_FIXED) {
      mbus_data_fixed *fix = &data->data_fix;
      mbus_record_free(mbus_parse_fixed_record((char)fix->status, (char)fix->cnt1_type, fix->cnt1_val));
      mbus_record_free(mbus_parse_fixed_record((char)fix->status, (char)fix->cnt2_type, fix->cnt2_val));
      records = 2;
    } else {
      mbus_data_record *record;
      for (record = data->data_var.record; record; record = record->next, records++)
        mbus_record_free(mbus_parse_variable_record(record));
    }
  }
  mbus_frame_data_free(data);
  return records;
}

int main(int argc, char **argv) {
  static char line[65536];
  const double budget_s = argc > 1 ? atof(argv[1]) : 2.0;
  as_xml = argc > 2;
  size_t count = 0, kept = 0, records = 0, rounds = 0, i;
  double start;
  struct rusage u;
  /* It complains of every VIF it does not know; that is not to be measured. */
  static char complaints[65536];
  if (freopen("/dev/null", "w", stderr)) setvbuf(stderr, complaints, _IOFBF, sizeof complaints);
  while (count < MAX_TELEGRAMS && fgets(line, sizeof line, stdin)) {
    const size_t size = strcspn(line, "\r\n") / 2;
    unsigned char *bytes = malloc(size ? size : 1);
    for (i = 0; i < size; i++) sscanf(line + 2 * i, "%2hhx", &bytes[i]);
    telegrams[count] = bytes;
    sizes[count++] = size;
  }
  /* What it refuses is not measured. */
  for (i = 0; i < count; i++) {
    const size_t of_this = read_one(telegrams[i], sizes[i]);
    records += of_this;
    if (of_this > 0) {
      telegrams[kept] = telegrams[i];
      sizes[kept++] = sizes[i];
    }
  }
  count = kept;
  start = cpu_s();
  while (cpu_s() - start < budget_s) {
    for (i = 0; i < count; i++) read_one(telegrams[i], sizes[i]);
    rounds++;
  }
  getrusage(RUSAGE_SELF, &u);
  printf("{\"telegrams\":%zu,\"read\":%zu,\"records\":%zu,\"cpu_s\":%.4f,\"rss_kB\":%ld}\n", rounds * count, count, records,
         cpu_s() - start, u.ru_maxrss);
  return 0;
}
