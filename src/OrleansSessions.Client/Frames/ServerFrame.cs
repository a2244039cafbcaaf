using OrleansSessions.Protocol;

namespace OrleansSessions.Client.Frames;

/// <summary>A frame from the server.</summary>
/// <param name="Message">Its content, or null if this version does not know its type.</param>
/// <param name="Seq">Its number in the log, or null if it has none.</param>
/// <param name="FirstSeq">The number of its first event; the same as <paramref name="Seq"/> unless the frame is a run.</param>
internal readonly record struct ServerFrame(ServerMessage? Message, long? Seq = null, long FirstSeq = 0, bool IsReplay = false, bool IsDuplicate = false);
