/*
 * The Gurux DLMS library on the pushes of stdin for bench-dlms.ts: one a line in hexadecimal, with its key behind a
 * blank where it is encrypted. HDLC frames, deciphering, and the message as a tree of values. argv[1] is the time to
 * spend in CPU seconds. Prints telegrams, values of one round, a digit for each telegram (1: it reads it), CPU seconds
 * and the peak of resident memory in kB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bytebuffer.h"
#include "client.h"
#include "dlmssettings.h"
#include "replydata.h"
#include "variant.h"

#define MAX_TELEGRAMS 1024

static gxByteBuffer telegrams[MAX_TELEGRAMS];
static dlmsSettings settings[MAX_TELEGRAMS];
static int count;

static double cpu_s(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int values_of(dlmsVARIANT *value);

/* Where it has not made values of the message itself, they are made here. */
static int values_in(gxReplyData *got) {
  dlmsVARIANT value;
  gxDataInfo info;
  int found = 0;
  if (got->dataValue.vt != DLMS_DATA_TYPE_NONE) return values_of(&got->dataValue);
  var_init(&value);
  di_init(&info);
  got->data.position = 0;
  if (dlms_getData(&got->data, &info, &value) == 0) found = values_of(&value);
  var_clear(&value);
  return found;
}

/* 1, 2 or 4 bytes, seven bits each, the low bit of the last one set. */
static unsigned long address_at(const unsigned char *bytes, int *at) {
  unsigned long address = 0;
  do address = address << 7 | bytes[*at] >> 1;
  while (!(bytes[(*at)++] & 1));
  return address;
}

/* The library takes only frames between the addresses that it was told. */
static void tell_addresses(dlmsSettings *s, const gxByteBuffer *telegram) {
  int at = 3;
  s->clientAddress = (unsigned short)address_at(telegram->data, &at);
  s->serverAddress = (unsigned short)address_at(telegram->data, &at);
}

static int values_of(dlmsVARIANT *value) {
  int i, sum = 0;
  if (value->vt != DLMS_DATA_TYPE_ARRAY && value->vt != DLMS_DATA_TYPE_STRUCTURE) return 1;
  for (i = 0; i < value->Arr->size; i++) {
    dlmsVARIANT *item;
    if (va_getByIndex(value->Arr, i, &item) == 0) sum += values_of(item);
  }
  return sum;
}

/* The library is given one frame after the other, as they come from a line. */
static int read_one(int n) {
  gxReplyData reply, notify;
  gxByteBuffer frame;
  unsigned long at = 0;
  int found = 0;
  reply_init(&reply);
  reply_init(&notify);
  reply.preEstablished = notify.preEstablished = 1;
  bb_init(&frame);
  while (at + 9 < telegrams[n].size && telegrams[n].data[at] == 0x7e) {
    unsigned long length = ((telegrams[n].data[at + 1] & 7) << 8 | telegrams[n].data[at + 2]) + 2;
    unsigned char is_notify = 0;
    gxReplyData *got;
    if (at + length > telegrams[n].size) break;
    bb_empty(&frame);
    bb_set(&frame, telegrams[n].data + at, length);
    at += telegrams[n].data[at + length] == 0x7e ? length : length - 1;
    if (cl_getData2(&settings[n], &frame, &reply, &notify, &is_notify)) break;
    got = is_notify ? &notify : &reply;
    if (got->complete && got->moreData == DLMS_DATA_REQUEST_TYPES_NONE) found = values_in(got);
  }
  bb_clear(&frame);
  reply_clear(&reply);
  reply_clear(&notify);
  return found;
}

int main(int argc, char **argv) {
  static char line[131072];
  static char good[MAX_TELEGRAMS + 1];
  double budget_s = argc > 1 ? atof(argv[1]) : 3.0, from, warm;
  long telegrams_done = 0, values = 0;
  struct rusage u;
  int i;
  while (count < MAX_TELEGRAMS && fgets(line, sizeof line, stdin)) {
    char *key = strchr(line, ' ');
    line[strcspn(line, "\r\n")] = 0;
    if (key) *key++ = 0;
    bb_init(&telegrams[count]);
    bb_addHexString(&telegrams[count], line);
    cl_init(&settings[count], 1, 16, 1, DLMS_AUTHENTICATION_NONE, NULL, DLMS_INTERFACE_TYPE_HDLC);
    tell_addresses(&settings[count], &telegrams[count]);
    if (key) {
      bb_clear(&settings[count].cipher.blockCipherKey);
      bb_addHexString(&settings[count].cipher.blockCipherKey, key);
      settings[count].cipher.security = DLMS_SECURITY_ENCRYPTION;
    }
    count++;
  }
  for (i = 0; i < count; i++) {
    int found = read_one(i);
    good[i] = found > 0 ? '1' : '0';
    values += found;
  }
  for (warm = cpu_s(); cpu_s() - warm < 0.2;)
    for (i = 0; i < count; i++)
      if (good[i] == '1') read_one(i);
  from = cpu_s();
  while (cpu_s() - from < budget_s && values > 0)
    for (i = 0; i < count; i++)
      if (good[i] == '1') {
        read_one(i);
        telegrams_done++;
      }
  getrusage(RUSAGE_SELF, &u);
  printf("{\"telegrams\":%ld,\"values\":%ld,\"good\":\"%s\",\"cpu_s\":%f,\"rss_kB\":%ld}\n", telegrams_done, values, good,
         cpu_s() - from, u.ru_maxrss);
  return 0;
}
