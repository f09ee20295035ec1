package calculate.bench;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * grpc-java, 256 calls in flight on one channel: each completion makes the next call. Both sides
 * use direct executors, which is their fastest. The message is the one that protobuf makes of
 * {@code message Number { double value = 1; }}, written by hand, which costs less than protobuf
 * does.
 */
final class GrpcPeer implements Contestant {
  private static final String SERVICE = "calculate.Calculate";
  private static final MethodDescriptor<Double, Double> SQUARE =
      MethodDescriptor.<Double, Double>newBuilder()
          .setType(MethodDescriptor.MethodType.UNARY)
          .setFullMethodName(SERVICE + "/Square")
          .setRequestMarshaller(new NumberMarshaller())
          .setResponseMarshaller(new NumberMarshaller())
          .build();

  private final ManagedChannel channel;

  GrpcPeer(String address) {
    channel = NettyChannelBuilder.forTarget(address).usePlaintext().directExecutor().build();
  }

  static void serve() throws Exception {
    ServerServiceDefinition service =
        ServerServiceDefinition.builder(SERVICE)
            .addMethod(SQUARE, ServerCalls.asyncUnaryCall(GrpcPeer::square))
            .build();
    Server server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(service)
            .build()
            .start();
    System.out.println("listening on 127.0.0.1:" + server.getPort());
    server.awaitTermination();
  }

  private static void square(double number, StreamObserver<Double> reply) {
    reply.onNext(Math.sqrt(number));
    reply.onCompleted();
  }

  @Override
  public String name() {
    return "grpc-java";
  }

  @Override
  public int callsPerRound() {
    return 2_000;
  }

  @Override
  public void round(int calls) throws Exception {
    Countdown countdown = new Countdown(calls);
    for (int i = 0; i < OursAsync.IN_FLIGHT && countdown.start(); i++) {
      call(countdown);
    }
    countdown.await();
  }

  private void call(Countdown countdown) {
    ClientCalls.asyncUnaryCall(
        channel.newCall(SQUARE, CallOptions.DEFAULT), 9.0, new Completion(countdown));
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  /** What happens when a call has ended. */
  private final class Completion implements StreamObserver<Double> {
    private final Countdown countdown;
    private boolean right;

    Completion(Countdown countdown) {
      this.countdown = countdown;
    }

    @Override
    public void onNext(Double root) {
      right = root == 3;
    }

    @Override
    public void onError(Throwable error) {
      end(false);
    }

    @Override
    public void onCompleted() {
      end(right);
    }

    private void end(boolean isRight) {
      countdown.end(isRight);
      if (countdown.start()) {
        call(countdown);
      }
    }
  }

  /** The field 1, a double: its tag, then 8 bytes, least significant first. */
  private static final class NumberMarshaller implements MethodDescriptor.Marshaller<Double> {
    private static final byte TAG = 0x09;
    private static final int BYTES = 9;

    @Override
    public InputStream stream(Double value) {
      ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(TAG).putDouble(value);
      return new ByteArrayInputStream(bytes.array());
    }

    @Override
    public Double parse(InputStream stream) {
      try {
        byte[] bytes = stream.readNBytes(BYTES);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getDouble(1);
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
