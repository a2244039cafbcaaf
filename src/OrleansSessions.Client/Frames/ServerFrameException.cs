namespace OrleansSessions.Client.Frames;

/// <summary>The server sent something that is not of this protocol.</summary>
internal sealed class ServerFrameException(string message, Exception? inner = null) : FormatException(message, inner);
